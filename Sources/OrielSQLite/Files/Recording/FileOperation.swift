/// One change that reached a recording file layer, in the order of arrival. Reads are not recorded: they change nothing that a power cut could take.
enum FileOperation: Equatable, Sendable {
    /// The name of a new, empty file. `file` counts the files that were ever made, so that a name used again is a new file.
    case create(path: String, file: Int)
    case write(file: Int, offset: Int64, bytes: [UInt8])
    case truncate(file: Int, size: Int64)
    case synchronize(file: Int)
    case rename(old: String, new: String)
    case unlink(path: String)
    case createDirectory(path: String)
    case removeDirectory(path: String)
    case synchronizeDirectory(path: String)
}

/// What a recording layer does instead of an operation.
enum FileFault: Equatable, Sendable {
    /// The operation fails with this error number and changes nothing. A failed synchronisation leaves open what is on the disk.
    case failure(Int32)
    /// Half of a write happens, then the disk is full.
    case shortWrite
    /// Power is cut: this and every later operation fails, and the disk keeps what `PowerCut` makes of the operations before.
    case powerCut
}

import CSQLite
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file layer as SQLite sees it: a VFS (https://www.sqlite.org/vfs.html) registered under a name of its own, so that every operation that SQLite does
/// goes through the same layer as those of the store itself.
///
/// It offers what the store uses and nothing else: main databases and their logs or journals, no temporary files (`temp_store` is memory), no shared memory
/// (a log needs `locking_mode=EXCLUSIVE`), no memory mapping. Locks are all or nothing: the first reader takes the exclusive lock.
///
/// It stays registered as long as it lives, which is at least as long as any connection that was opened with it.
///
/// The C structures and function pointers stay in this file.
@safe
final class SQLiteFileSystem: Sendable {
    /// The name that the VFS is registered under.
    let name: String
    let layer: any FileLayer
    private let lastError: Mutex<FileError?> = Mutex(nil)
    /// The address of the registered structure, freed in `deinit`; an integer because nothing but the two ends of this object's life touches it.
    private let address: Mutex<UInt> = Mutex(0)

    private static let count = Atomic(0)

    init(_ layer: any FileLayer) {
        self.layer = layer
        name = "oriel-\(Self.count.add(1, ordering: .relaxed).newValue)"
        let structure = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        unsafe structure.initialize(to: sqlite3_vfs())
        unsafe structure.pointee.iVersion = 2
        unsafe structure.pointee.szOsFile = Int32(MemoryLayout<FileStructure>.size)
        unsafe structure.pointee.mxPathname = 4096
        unsafe structure.pointee.zName = UnsafePointer(strdup(name))
        // Unretained: `deinit` takes the structure out of SQLite's list, and no call can come when no connection is open.
        unsafe structure.pointee.pAppData = Unmanaged.passUnretained(self).toOpaque()
        unsafe structure.pointee.xOpen = openFile
        unsafe structure.pointee.xDelete = deleteFile
        unsafe structure.pointee.xAccess = accessFile
        unsafe structure.pointee.xFullPathname = fullPath
        unsafe structure.pointee.xRandomness = randomBytes
        unsafe structure.pointee.xSleep = { _, microseconds in
            usleep(useconds_t(max(0, microseconds)))
            return microseconds
        }
        unsafe structure.pointee.xCurrentTime = { _, day in
            unsafe day?.pointee = Double(julianMilliseconds()) / 86_400_000
            return SQLITE_OK
        }
        unsafe structure.pointee.xGetLastError = { _, _, _ in 0 }
        unsafe structure.pointee.xCurrentTimeInt64 = { _, milliseconds in
            unsafe milliseconds?.pointee = julianMilliseconds()
            return SQLITE_OK
        }
        unsafe sqlite3_vfs_register(structure, 0)
        let bits = UInt(bitPattern: structure)
        address.withLock { $0 = bits }
    }

    deinit {
        let bits = address.withLock { $0 }
        if let structure = unsafe UnsafeMutablePointer<sqlite3_vfs>(bitPattern: bits) {
            unsafe sqlite3_vfs_unregister(structure)
            unsafe free(UnsafeMutablePointer(mutating: structure.pointee.zName))
            unsafe structure.deallocate()
        }
    }

    /// The last file operation that failed for SQLite, once.
    func takeLastError() -> FileError? {
        lastError.withLock { error in
            defer { error = nil }
            return error
        }
    }

    fileprivate func record(_ error: FileError) {
        lastError.withLock { $0 = error }
    }
}

/// An open file in the memory that SQLite gives for it: its header, then our state, retained from a successful open to the close.
@unsafe
private struct FileStructure {
    var header: sqlite3_file
    var state: Unmanaged<FileState>?
}

/// What the layer needs to know of one file that SQLite has open.
private final class FileState {
    let fileSystem: SQLiteFileSystem
    let layer: any FileLayer
    let file: OpenFile
    let isDeletedOnClose: Bool
    /// Set when the open may have made the file: its name is made last with the first synchronisation.
    var isNameNew: Bool
    var lockLevel: Int32 = SQLITE_LOCK_NONE

    init(_ fileSystem: SQLiteFileSystem, _ file: OpenFile, isDeletedOnClose: Bool, isNameNew: Bool) {
        self.fileSystem = fileSystem
        layer = fileSystem.layer
        self.file = file
        self.isDeletedOnClose = isDeletedOnClose
        self.isNameNew = isNameNew
    }

    /// Calls `body` and turns its failure into `code`, or into SQLITE_FULL when the disk is full. A synchronisation that fails never becomes SQLITE_FULL: what was
    /// written before it may be lost.
    func result(_ code: SQLiteError.Code, _ body: () throws(FileError) -> Void) -> Int32 {
        do {
            try body()
            return SQLITE_OK
        } catch {
            fileSystem.record(error)
            return error.isFull && error.operation != .synchronize ? SQLITE_FULL : code.rawValue
        }
    }
}

/// The table of functions of every open file. It is made once and lives as long as the process.
private struct Methods: Sendable {
    private let address: UInt

    static let shared = Methods()

    private init() {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        unsafe methods.initialize(to: sqlite3_io_methods())
        unsafe methods.pointee.iVersion = 1
        unsafe methods.pointee.xClose = closeFile
        unsafe methods.pointee.xRead = readFile
        unsafe methods.pointee.xWrite = writeFile
        unsafe methods.pointee.xTruncate = { file, size in
            guard let state = unsafe state(file) else { return SQLITE_MISUSE }
            return state.result(.inputOutputTruncate) { () throws(FileError) in try state.layer.truncate(state.file, to: size) }
        }
        unsafe methods.pointee.xSync = synchronizeFile
        unsafe methods.pointee.xFileSize = { file, size in
            guard let state = unsafe state(file) else { return SQLITE_MISUSE }
            return state.result(.inputOutputStatus) { () throws(FileError) in
                let bytes = try state.layer.size(state.file)
                unsafe size?.pointee = bytes
            }
        }
        unsafe methods.pointee.xLock = lockFile
        unsafe methods.pointee.xUnlock = unlockFile
        unsafe methods.pointee.xCheckReservedLock = { file, answer in
            guard let state = unsafe state(file) else { return SQLITE_MISUSE }
            unsafe answer?.pointee = state.lockLevel >= SQLITE_LOCK_RESERVED ? 1 : 0
            return SQLITE_OK
        }
        unsafe methods.pointee.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        unsafe methods.pointee.xSectorSize = { _ in 4096 }
        // As SQLite's own layer for POSIX says of every disk: a write that power cuts off damages no byte outside its range.
        unsafe methods.pointee.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
        address = UInt(bitPattern: methods)
    }

    var pointer: UnsafePointer<sqlite3_io_methods>? {
        unsafe UnsafePointer(bitPattern: address)
    }
}

/// The state of a file that SQLite hands back, which is ours because only `openFile` sets the methods that lead here.
private func state(_ file: UnsafeMutablePointer<sqlite3_file>?) -> FileState? {
    guard let file = unsafe file else { return nil }
    return unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: FileStructure.self).pointee.state?.takeUnretainedValue()
}

private func fileSystem(_ structure: UnsafeMutablePointer<sqlite3_vfs>?) -> SQLiteFileSystem? {
    guard let data = unsafe structure?.pointee.pAppData else { return nil }
    return unsafe Unmanaged<SQLiteFileSystem>.fromOpaque(data).takeUnretainedValue()
}

private func openFile(
    _ structure: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ memory: UnsafeMutablePointer<sqlite3_file>?,
    _ flags: Int32, _ flagsOut: UnsafeMutablePointer<Int32>?
) -> Int32 {
    guard let memory = unsafe memory else { return SQLITE_MISUSE }
    // A file without methods is not closed.
    unsafe memory.pointee.pMethods = nil
    guard let system = unsafe fileSystem(structure), let name = unsafe name else {
        return SQLITE_CANTOPEN
    }
    let path = unsafe String(cString: name)
    let access: FileAccess =
        if flags & SQLITE_OPEN_CREATE != 0 {
            flags & SQLITE_OPEN_EXCLUSIVE != 0 ? .createNew : .create
        } else {
            flags & SQLITE_OPEN_READWRITE != 0 ? .readWrite : .readOnly
        }
    do {
        let file = try system.layer.open(path, access)
        let state = FileState(
            system, file, isDeletedOnClose: flags & SQLITE_OPEN_DELETEONCLOSE != 0, isNameNew: flags & SQLITE_OPEN_CREATE != 0)
        // SQLite gave `szOsFile` bytes, the size of the structure, aligned for any C type.
        unsafe UnsafeMutableRawPointer(memory).initializeMemory(
            as: FileStructure.self, to: FileStructure(header: sqlite3_file(pMethods: Methods.shared.pointer), state: .passRetained(state)))
        unsafe flagsOut?.pointee = flags
        return SQLITE_OK
    } catch {
        system.record(error)
        return error.isFull ? SQLITE_FULL : SQLITE_CANTOPEN
    }
}

private func closeFile(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
    guard let file = unsafe file else { return SQLITE_MISUSE }
    let structure = unsafe UnsafeMutableRawPointer(file).assumingMemoryBound(to: FileStructure.self)
    guard let retained = unsafe structure.pointee.state else { return SQLITE_OK }
    unsafe structure.pointee.state = nil
    unsafe file.pointee.pMethods = nil
    let state = unsafe retained.takeRetainedValue()
    return state.result(.inputOutput) { () throws(FileError) in
        try state.layer.close(state.file)
        if state.isDeletedOnClose {
            try state.layer.unlink(state.file.path)
        }
    }
}

private func readFile(
    _ file: UnsafeMutablePointer<sqlite3_file>?, _ memory: UnsafeMutableRawPointer?, _ count: Int32, _ offset: Int64
) -> Int32 {
    guard let state = unsafe state(file), let memory = unsafe memory, count >= 0 else { return SQLITE_MISUSE }
    let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory, count: Int(count))
    var read = 0
    let code = state.result(.inputOutputRead) { () throws(FileError) in
        var span = unsafe MutableSpan(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self))
        read = try state.layer.read(state.file, at: offset, into: &span)
    }
    if code == SQLITE_OK, read < bytes.count {
        // SQLite relies on zeros where the file has ended.
        unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[read...]).initializeMemory(as: UInt8.self, repeating: 0)
        return SQLiteError.Code.inputOutputShortRead.rawValue
    }
    return code
}

private func writeFile(
    _ file: UnsafeMutablePointer<sqlite3_file>?, _ memory: UnsafeRawPointer?, _ count: Int32, _ offset: Int64
) -> Int32 {
    guard let state = unsafe state(file), let memory = unsafe memory, count >= 0 else { return SQLITE_MISUSE }
    return state.result(.inputOutputWrite) { () throws(FileError) in
        let bytes = unsafe Span(_unsafeStart: memory.assumingMemoryBound(to: UInt8.self), count: Int(count))
        try state.layer.write(state.file, at: offset, bytes)
    }
}

private func synchronizeFile(_ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32) -> Int32 {
    guard let state = unsafe state(file) else { return SQLITE_MISUSE }
    let code = state.result(.inputOutputSynchronize) { () throws(FileError) in try state.layer.synchronize(state.file, all: false) }
    guard code == SQLITE_OK, state.isNameNew else { return code }
    return state.result(.inputOutputDirectorySynchronize) { () throws(FileError) in
        try state.layer.synchronizeDirectory(state.file.path.parentDirectory)
        state.isNameNew = false
    }
}

private func lockFile(_ file: UnsafeMutablePointer<sqlite3_file>?, _ level: Int32) -> Int32 {
    guard let state = unsafe state(file) else { return SQLITE_MISUSE }
    guard level > state.lockLevel else { return SQLITE_OK }
    if state.lockLevel == SQLITE_LOCK_NONE {
        do {
            try state.layer.lock(state.file)
        } catch {
            state.fileSystem.record(error)
            return error.isLocked ? SQLITE_BUSY : SQLiteError.Code.inputOutputLock.rawValue
        }
    }
    state.lockLevel = level
    return SQLITE_OK
}

private func unlockFile(_ file: UnsafeMutablePointer<sqlite3_file>?, _ level: Int32) -> Int32 {
    guard let state = unsafe state(file) else { return SQLITE_MISUSE }
    guard level < state.lockLevel else { return SQLITE_OK }
    state.lockLevel = level
    guard level == SQLITE_LOCK_NONE else { return SQLITE_OK }
    return state.result(.inputOutputLock) { () throws(FileError) in try state.layer.unlock(state.file) }
}

private func deleteFile(_ structure: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ synchronize: Int32) -> Int32 {
    guard let system = unsafe fileSystem(structure), let name = unsafe name else { return SQLITE_MISUSE }
    let path = unsafe String(cString: name)
    do {
        try system.layer.unlink(path)
        if synchronize != 0 {
            try system.layer.synchronizeDirectory(path.parentDirectory)
        }
        return SQLITE_OK
    } catch {
        if error.operation == .unlink, error.isMissing {
            return SQLiteError.Code.inputOutputDeleteMissing.rawValue
        }
        system.record(error)
        return (error.operation == .unlink ? SQLiteError.Code.inputOutputDelete : .inputOutputDirectorySynchronize).rawValue
    }
}

private func accessFile(
    _ structure: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ flags: Int32, _ answer: UnsafeMutablePointer<Int32>?
) -> Int32 {
    guard let system = unsafe fileSystem(structure), let name = unsafe name, let answer = unsafe answer else { return SQLITE_MISUSE }
    do {
        let status = try system.layer.status(unsafe String(cString: name))
        // An empty log or journal counts as none, as in SQLite's own layer for POSIX.
        unsafe answer.pointee = status.map { $0.isDirectory || $0.size > 0 || flags != SQLITE_ACCESS_EXISTS ? 1 : 0 } ?? 0
        return SQLITE_OK
    } catch {
        system.record(error)
        return SQLiteError.Code.inputOutputAccess.rawValue
    }
}

private func fullPath(
    _ structure: UnsafeMutablePointer<sqlite3_vfs>?, _ name: UnsafePointer<CChar>?, _ count: Int32, _ out: UnsafeMutablePointer<CChar>?
) -> Int32 {
    guard let name = unsafe name, let out = unsafe out else { return SQLITE_MISUSE }
    let length = unsafe strlen(name)
    // The store only uses absolute paths.
    guard length < Int(count), unsafe name[0] == CChar(bitPattern: UInt8(ascii: "/")) else { return SQLITE_CANTOPEN }
    unsafe out.update(from: name, count: length + 1)
    return SQLITE_OK
}

private func randomBytes(_ structure: UnsafeMutablePointer<sqlite3_vfs>?, _ count: Int32, _ out: UnsafeMutablePointer<CChar>?) -> Int32 {
    guard let out = unsafe out, count > 0 else { return 0 }
    for index in 0..<Int(count) {
        unsafe out[index] = CChar.random(in: .min ... .max)
    }
    return count
}

/// Milliseconds since the start of the Julian period, SQLite's clock.
private func julianMilliseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return 210_866_760_000_000 + Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

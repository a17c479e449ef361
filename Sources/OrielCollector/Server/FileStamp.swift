import Glibc

/// What tells that a file was written or replaced since it was last looked at.
struct FileStamp: Sendable, Equatable {
    private var inode: UInt64 = 0
    private var size: Int64 = 0
    private var seconds: Int64 = 0
    private var nanoseconds: Int64 = 0

    /// The stamps of files, symbolic links followed; a missing file has one of its own.
    static func read(_ paths: [String]) -> [FileStamp] {
        paths.map { path in
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return FileStamp() }
            return FileStamp(
                inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int64(status.st_mtim.tv_nsec))
        }
    }
}

/// Every operation on files that the store or SQLite below it does. The store has one of these; tests put another in its place that records and fails.
///
/// Paths are absolute. Nothing is retried, nothing is buffered, an operation happened wholly when it returns, and lasts over a power cut only after the
/// matching `synchronize`.
protocol FileLayer: Sendable {
    func open(_ path: String, _ access: FileAccess) throws(FileError) -> OpenFile
    /// Closes `file`, whose number is dead afterwards whatever happens.
    func close(_ file: OpenFile) throws(FileError)
    /// Reads from `offset` until `buffer` is full or the file ends; returns how many bytes came.
    func read(_ file: OpenFile, at offset: Int64, into buffer: inout MutableSpan<UInt8>) throws(FileError) -> Int
    /// Writes all of `bytes` at `offset`.
    func write(_ file: OpenFile, at offset: Int64, _ bytes: Span<UInt8>) throws(FileError)
    func truncate(_ file: OpenFile, to size: Int64) throws(FileError)
    /// Makes the file `size` bytes long with all blocks taken, so that the space is really gone for others.
    ///
    /// - Throws: Also where the file system cannot do that.
    func allocate(_ file: OpenFile, size: Int64) throws(FileError)
    func size(_ file: OpenFile) throws(FileError) -> Int64
    /// Returns when the file's bytes, size included, are on the disk; with `all` also its times (fsync instead of fdatasync).
    func synchronize(_ file: OpenFile, all: Bool) throws(FileError)
    /// Takes the lock that SQLite's own file layer would take for an exclusive one, so that no other process can read or write the database.
    ///
    /// - Throws: An error with `isLocked` when another process or another open file holds it; this never waits.
    func lock(_ file: OpenFile) throws(FileError)
    func unlock(_ file: OpenFile) throws(FileError)
    /// Replaces `new` by `old`, atomically.
    func rename(_ old: String, to new: String) throws(FileError)
    /// Gives the file at `old` the further name `new`, on the same file system.
    func link(_ old: String, to new: String) throws(FileError)
    func unlink(_ path: String) throws(FileError)
    func createDirectory(_ path: String) throws(FileError)
    func removeDirectory(_ path: String) throws(FileError)
    /// Returns when the names in the directory are on the disk.
    func synchronizeDirectory(_ path: String) throws(FileError)
    /// The names in the directory, sorted, without "." and "..".
    func list(_ path: String) throws(FileError) -> [String]
    /// What is at `path`, `nil` when nothing is.
    func status(_ path: String) throws(FileError) -> FileStatus?
    /// Bytes that this process may still write on the file system of `path`.
    func freeSpace(_ path: String) throws(FileError) -> Int64
}

/// A file that a layer has open. It does not close itself.
struct OpenFile: Hashable, Sendable {
    /// The descriptor.
    let number: Int32
    let path: String
}

enum FileAccess: Sendable {
    case readOnly
    case readWrite
    /// Read and write; made when missing.
    case create
    /// Read and write a file that must not exist yet.
    case createNew
}

struct FileStatus: Equatable, Sendable {
    /// In bytes.
    var size: Int64
    var isDirectory: Bool
}

extension FileLayer {
    func exists(_ path: String) throws(FileError) -> Bool {
        try status(path) != nil
    }

    /// Makes the directory unless it is there, and its name last.
    ///
    /// - Returns: Whether it was made.
    @discardableResult
    func ensureDirectory(_ path: String) throws(FileError) -> Bool {
        do {
            try createDirectory(path)
        } catch {
            guard error.isExisting else { throw error }
            return false
        }
        try synchronizeDirectory(path.parentDirectory)
        return true
    }

    /// All bytes of the file at `path`, at most `limit`; what lies beyond is not read.
    func contents(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let file = try open(path, .readOnly)
        do throws(FileError) {
            let count = Int(min(try size(file), Int64(limit)))
            var bytes = [UInt8](repeating: 0, count: count)
            var span = bytes.mutableSpan
            let read = try self.read(file, at: 0, into: &span)
            bytes.removeLast(count - read)
            try close(file)
            return bytes
        } catch {
            closeAfterFailure(file)
            throw error
        }
    }

    /// Writes `bytes` as the whole content of `path`, so that after a crash either the old content or the new one is there.
    func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
        let temporary = path + ".tmp"
        let file = try open(temporary, .create)
        do throws(FileError) {
            try truncate(file, to: 0)
            try write(file, at: 0, bytes.span)
            try synchronize(file, all: true)
        } catch {
            closeAfterFailure(file)
            throw error
        }
        try close(file)
        try rename(temporary, to: path)
        try synchronizeDirectory(path.parentDirectory)
    }

    /// Copies the file at `old` to the new file `new` and makes its bytes last; the caller makes the name last.
    func copy(_ old: String, to new: String) throws(FileError) {
        let source = try open(old, .readOnly)
        defer { closeAfterFailure(source) }
        let target = try open(new, .createNew)
        do throws(FileError) {
            var buffer = [UInt8](repeating: 0, count: 1 << 20)
            var offset: Int64 = 0
            while true {
                var span = buffer.mutableSpan
                let count = try read(source, at: offset, into: &span)
                if count > 0 {
                    try write(target, at: offset, buffer.span.extracting(first: count))
                    offset += Int64(count)
                }
                if count < buffer.count { break }
            }
            try synchronize(target, all: true)
        } catch {
            closeAfterFailure(target)
            throw error
        }
        try close(target)
    }

    /// Makes the content and the name of the file at `path` last.
    func synchronize(path: String) throws(FileError) {
        let file = try open(path, .readOnly)
        do throws(FileError) {
            try synchronize(file, all: true)
        } catch {
            closeAfterFailure(file)
            throw error
        }
        try close(file)
        try synchronizeDirectory(path.parentDirectory)
    }

    /// Closes a file from which nothing more is expected: it was only read, or an earlier error is on its way to the caller.
    func closeAfterFailure(_ file: OpenFile) {
        do throws(FileError) {
            try close(file)
        } catch {
            // Nothing was left to be written, or the caller hears of the first error, which names the cause.
            _ = error
        }
    }
}

extension String {
    /// What stands before the last "/" of an absolute path.
    var parentDirectory: String {
        guard let slash = lastIndex(of: "/"), slash != startIndex else {
            return "/"
        }
        return String(self[..<slash])
    }

    /// What stands after the last "/".
    var lastPathComponent: String {
        guard let slash = lastIndex(of: "/") else {
            return self
        }
        return String(self[index(after: slash)...])
    }
}

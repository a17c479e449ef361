#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The file system of the machine.
struct POSIXFileLayer: FileLayer {
    func open(_ path: String, _ access: FileAccess) throws(FileError) -> OpenFile {
        let flags: Int32 =
            switch access {
            case .readOnly: O_RDONLY
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            }
        let number = try retrying(.open, path) { posixOpen(path, flags | O_CLOEXEC, 0o600) }
        return OpenFile(number: number, path: path)
    }

    func close(_ file: OpenFile) throws(FileError) {
        // Not repeated after EINTR: the descriptor is gone and may already be somebody else's.
        if posixClose(file.number) != 0, errno != EINTR {
            throw FileError(operation: .close, path: file.path, number: errno)
        }
    }

    func read(_ file: OpenFile, at offset: Int64, into buffer: inout MutableSpan<UInt8>) throws(FileError) -> Int {
        // The system writes at most the rest of the buffer, from inside it.
        let result = unsafe buffer.withUnsafeMutableBytes { bytes -> Result<Int, FileError> in
            var done = 0
            while done < bytes.count {
                let count = unsafe pread(file.number, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
                if count < 0 {
                    if errno == EINTR { continue }
                    return .failure(FileError(operation: .read, path: file.path, number: errno))
                }
                if count == 0 { break }
                done += count
            }
            return .success(done)
        }
        return try result.get()
    }

    func write(_ file: OpenFile, at offset: Int64, _ bytes: Span<UInt8>) throws(FileError) {
        // The system reads at most the rest of the bytes, from inside them.
        let number = unsafe bytes.withUnsafeBytes { bytes -> Int32 in
            var done = 0
            while done < bytes.count {
                let count = unsafe pwrite(file.number, bytes.baseAddress! + done, bytes.count - done, off_t(offset) + off_t(done))
                if count < 0 {
                    if errno == EINTR { continue }
                    return errno
                }
                if count == 0 { return ENOSPC }
                done += count
            }
            return 0
        }
        if number != 0 {
            throw FileError(operation: .write, path: file.path, number: number)
        }
    }

    func truncate(_ file: OpenFile, to size: Int64) throws(FileError) {
        try retrying(.truncate, file.path) { ftruncate(file.number, off_t(size)) }
    }

    func allocate(_ file: OpenFile, size: Int64) throws(FileError) {
        #if canImport(Darwin)
        var request = fstore_t(fst_flags: UInt32(F_ALLOCATEALL), fst_posmode: F_PEOFPOSMODE, fst_offset: 0, fst_length: off_t(size), fst_bytesalloc: 0)
        try retrying(.allocate, file.path) { unsafe fcntl(file.number, F_PREALLOCATE, &request) }
        try truncate(file, to: size)
        #else
        // It says what went wrong by its result; where the file system cannot allocate, the C library may write a byte of each block instead.
        while true {
            let number = posix_fallocate(file.number, 0, off_t(size))
            if number == 0 { return }
            if number != EINTR { throw FileError(operation: .allocate, path: file.path, number: number) }
        }
        #endif
    }

    func size(_ file: OpenFile) throws(FileError) -> Int64 {
        var status = stat()
        try retrying(.size, file.path) { unsafe fstat(file.number, &status) }
        return Int64(status.st_size)
    }

    func synchronize(_ file: OpenFile, all: Bool) throws(FileError) {
        #if canImport(Darwin)
        // fsync there leaves the bytes in the drive's cache.
        try retrying(.synchronize, file.path) { fcntl(file.number, F_FULLFSYNC) }
        #else
        try retrying(.synchronize, file.path) { all ? fsync(file.number) : fdatasync(file.number) }
        #endif
    }

    func lock(_ file: OpenFile) throws(FileError) {
        try setLock(file, Int16(F_WRLCK))
    }

    func unlock(_ file: OpenFile) throws(FileError) {
        try setLock(file, Int16(F_UNLCK))
    }

    func rename(_ old: String, to new: String) throws(FileError) {
        try retrying(.rename, old) { posixRename(old, new) }
    }

    func link(_ old: String, to new: String) throws(FileError) {
        try retrying(.link, new) { posixLink(old, new) }
    }

    func unlink(_ path: String) throws(FileError) {
        try retrying(.unlink, path) { posixUnlink(path) }
    }

    func createDirectory(_ path: String) throws(FileError) {
        try retrying(.createDirectory, path) { unsafe mkdir(path, 0o700) }
    }

    func removeDirectory(_ path: String) throws(FileError) {
        try retrying(.removeDirectory, path) { unsafe rmdir(path) }
    }

    func synchronizeDirectory(_ path: String) throws(FileError) {
        let number = try retrying(.synchronizeDirectory, path) { posixOpen(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        defer { _ = posixClose(number) }
        try retrying(.synchronizeDirectory, path) { fsync(number) }
    }

    func list(_ path: String) throws(FileError) -> [String] {
        guard let directory = unsafe opendir(path) else {
            throw FileError(operation: .list, path: path, number: errno)
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(directory) else {
                guard errno == 0 else {
                    throw FileError(operation: .list, path: path, number: errno)
                }
                break
            }
            // The name ends in a zero byte inside the entry, which stays valid until the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) { start in
                    unsafe String(cString: start)
                }
            }
            if name != ".", name != ".." {
                names.append(name)
            }
        }
        return names.sorted()
    }

    func status(_ path: String) throws(FileError) -> FileStatus? {
        var status = stat()
        do {
            try retrying(.status, path) { posixStatus(path, &status) }
        } catch {
            if error.isMissing || error.number == ENOTDIR { return nil }
            throw error
        }
        return FileStatus(size: Int64(status.st_size), isDirectory: status.st_mode & S_IFMT == S_IFDIR)
    }

    func freeSpace(_ path: String) throws(FileError) -> Int64 {
        var status = statvfs()
        try retrying(.freeSpace, path) { posixFileSystemStatus(path, &status) }
        let (bytes, overflow) = Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
        return overflow ? .max : bytes
    }

    /// SQLite's lock bytes lie at 1 GiB: one pending, one reserved, 510 shared ones. A write lock on all of them keeps everybody out.
    private func setLock(_ file: OpenFile, _ type: Int16) throws(FileError) {
        var region = flock()
        region.l_type = type
        region.l_whence = Int16(SEEK_SET)
        region.l_start = 0x4000_0000
        region.l_len = 512
        #if canImport(Darwin)
        let command = F_SETLK
        #else
        // A lock of the open file and not of the process: closing another descriptor of the same file does not drop it.
        let command: Int32 = 37
        #endif
        try retrying(.lock, file.path) { unsafe fcntl(file.number, command, &region) }
    }

    /// Calls `body` again as long as a signal interrupts it.
    @discardableResult
    private func retrying(_ operation: FileError.Operation, _ path: String, _ body: () -> Int32) throws(FileError) -> Int32 {
        while true {
            let result = body()
            if result >= 0 { return result }
            if errno != EINTR {
                throw FileError(operation: operation, path: path, number: errno)
            }
        }
    }
}

// Inside the type these names of the C library would mean its own methods.

private func posixOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
    unsafe open(path, flags, mode)
}

private func posixClose(_ number: Int32) -> Int32 {
    close(number)
}

private func posixRename(_ old: String, _ new: String) -> Int32 {
    unsafe rename(old, new)
}

private func posixLink(_ old: String, _ new: String) -> Int32 {
    unsafe link(old, new)
}

private func posixUnlink(_ path: String) -> Int32 {
    unsafe unlink(path)
}

private func posixStatus(_ path: String, _ status: inout stat) -> Int32 {
    unsafe stat(path, &status)
}

private func posixFileSystemStatus(_ path: String, _ status: inout statvfs) -> Int32 {
    unsafe statvfs(path, &status)
}

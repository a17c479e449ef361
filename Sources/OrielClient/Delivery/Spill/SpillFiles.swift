import OrielTelemetry

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What a spill folder asks of the file system. All calls to it are in this file; pointers are used within a call only.
enum SpillFiles {
    /// A directory that this value holds the lock of, for as long as it lives. The lock is the system's: it ends with the process, however that ends.
    final class LockedDirectory: Sendable {
        let path: String
        private let descriptor: Int32

        fileprivate init(path: String, descriptor: Int32) {
            self.path = path
            self.descriptor = descriptor
        }

        deinit {
            // Fails while there are files in it, as it should.
            unsafe rmdir(path)
            close(descriptor)
        }

        /// Makes renames in the directory durable.
        func synchronize() throws(SystemError) {
            try SpillFiles.retrying { fsync(descriptor) }
        }
    }

    /// Makes a directory that only this user can enter, and those that it lies in.
    static func makeDirectories(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            try makeDirectory(path)
        } catch  where error.isMissing {
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { throw error }
            try makeDirectories(String(path[..<slash]))
            try makeDirectories(path)
        } catch  where error.isExisting {}
    }

    /// Makes a directory that only this user can enter, and its name durable: a file in it is on the disk only if the way to it is.
    static func makeDirectory(_ path: String) throws(SystemError) {
        try retrying { unsafe mkdir(path, 0o700) }
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor: Int32
        do throws(SystemError) {
            descriptor = try retrying { unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        } catch  where error.isForbidden {
            // One may be allowed to make something in a directory that one may not read. What is made works all the same; the system writes its name when it
            // likes.
            return
        }
        defer { close(descriptor) }
        try retrying { fsync(descriptor) }
    }

    /// Takes the lock of a directory.
    ///
    /// - Returns: `nil` when somebody else has it, or when the directory is gone.
    static func lock(_ path: String) throws(SystemError) -> LockedDirectory? {
        let descriptor: Int32
        do throws(SystemError) {
            descriptor = try retrying { unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        } catch  where error.isMissing {
            return nil
        }
        do throws(SystemError) {
            try retrying { flock(descriptor, LOCK_EX | LOCK_NB) }
            // Whoever had the lock before may have removed the directory meanwhile.
            var mine = stat()
            var current = stat()
            try retrying { unsafe fstat(descriptor, &mine) }
            try retrying { unsafe stat(path, &current) }
            if mine.st_ino == current.st_ino, mine.st_dev == current.st_dev { return LockedDirectory(path: path, descriptor: descriptor) }
            close(descriptor)
            return nil
        } catch {
            close(descriptor)
            if error.number == EWOULDBLOCK || error.isMissing { return nil }
            throw error
        }
    }

    /// The names in a directory, sorted.
    static func names(in path: String) throws(SystemError) -> [String] {
        guard let directory = unsafe opendir(path) else { throw SystemError(number: errno) }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(directory) else {
                if errno != 0 { throw SystemError(number: errno) }
                return names.sorted()
            }
            // The name ends in a zero byte inside the entry, which stays valid until the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: field.pointee)) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Bytes of a file; `nil` for what is no file.
    static func size(_ path: String) -> Int? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// The first bytes of a file, at most `limit`.
    static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let descriptor = try retrying { unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        defer { close(descriptor) }
        var status = stat()
        try retrying { unsafe fstat(descriptor, &status) }
        var bytes = [UInt8](repeating: 0, count: max(0, min(Int(status.st_size), limit)))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe systemRead(descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw SystemError(number: errno) }
            if count == 0 { break }
            done += count
        }
        bytes.removeSubrange(done...)
        return bytes
    }

    /// Makes a file that only this user can read, and waits until it is on the disk. A file that could not be finished is removed.
    static func write(_ path: String, _ parts: [[UInt8]]) throws(SystemError) {
        let descriptor = try retrying { unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600) }
        do throws(SystemError) {
            do throws(SystemError) {
                for part in parts { try write(part, to: descriptor) }
                try retrying { fsync(descriptor) }
            } catch {
                close(descriptor)
                throw error
            }
            // What a file system tells only now, such as a full quota on a network.
            if close(descriptor) != 0, errno != EINTR { throw SystemError(number: errno) }
        } catch {
            try? remove(path)
            throw error
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe systemWrite(descriptor, UnsafeRawBufferPointer(rebasing: buffer[done...]))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw SystemError(number: errno) }
            if count == 0 { throw SystemError(number: ENOSPC) }
            done += count
        }
    }

    static func rename(_ old: String, to new: String) throws(SystemError) {
        try retrying { unsafe systemRename(old, new) }
    }

    static func remove(_ path: String) throws(SystemError) {
        try retrying { unsafe unlink(path) }
    }

    /// Takes all bytes from a file.
    static func empty(_ path: String) throws(SystemError) {
        let descriptor = try retrying { unsafe open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC) }
        close(descriptor)
    }

    /// Calls the system again when a signal interrupted it.
    @discardableResult
    fileprivate static func retrying(_ call: () -> Int32) throws(SystemError) -> Int32 {
        while true {
            let result = call()
            if result >= 0 { return result }
            if errno != EINTR { throw SystemError(number: errno) }
        }
    }
}

// What the names of methods above hide.

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe read(descriptor, buffer.baseAddress, buffer.count)
}

private func systemWrite(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Int {
    unsafe write(descriptor, buffer.baseAddress, buffer.count)
}

private func systemRename(_ old: UnsafePointer<CChar>, _ new: UnsafePointer<CChar>) -> Int32 {
    unsafe rename(old, new)
}

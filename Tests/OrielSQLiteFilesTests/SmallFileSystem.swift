import Glibc

@testable import OrielSQLite

/// A file system in memory of a few megabytes, mounted for one test.
final class SmallFileSystem: Sendable {
    let path: String
    private let folder: TemporaryFolder

    /// `nil`, with the reason printed, when this process may not mount.
    init?(megabytes: Int) throws {
        let folder = try TemporaryFolder()
        let path = try folder.folder("disk")
        guard try SmallFileSystem.run(["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path]) == 0 else {
            print("skipped: this process may not mount a file system")
            return nil
        }
        self.folder = folder
        self.path = path
    }

    deinit {
        do {
            // Lazily: a store that is still being let go may have files open.
            if try SmallFileSystem.run(["umount", "-l", path]) != 0 { print("left mounted: \(path)") }
        } catch {
            print("left mounted: \(path): \(error)")
        }
    }

    /// Bytes that are free.
    var freeBytes: Int64 {
        get throws { try POSIXFileLayer().freeSpace(path) }
    }

    /// Takes all space that is left but `spare` bytes; `empty()` gives it back.
    func fill(sparing spare: Int64 = 0) throws {
        let layer = POSIXFileLayer()
        let file = try layer.open(path + "/filler-\(UInt64.random(in: 0...UInt64.max))", .createNew)
        let page = [UInt8](repeating: 1, count: 4096)
        var offset: Int64 = 0
        while try freeBytes > spare {
            do {
                try layer.write(file, at: offset, page.span)
            } catch {
                guard error.isFull else { throw error }
                break
            }
            offset += Int64(page.count)
        }
        try layer.close(file)
    }

    func empty() throws {
        let layer = POSIXFileLayer()
        for name in try layer.list(path) where name.hasPrefix("filler-") { try layer.unlink(path + "/" + name) }
    }

    private static func run(_ words: [String]) throws -> Int32 {
        var process: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { unsafe arguments.forEach { unsafe free($0) } }
        let started = unsafe posix_spawnp(&process, words[0], nil, nil, arguments, environ)
        guard started == 0 else { return started }
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { return errno }
        }
        return status
    }
}

import Glibc

@testable import OrielSQLite

/// A folder of one test, removed with all it holds when the test lets go of it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/oriel-columns-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        try POSIXFileLayer().createDirectory(path)
    }

    deinit {
        Self.remove(path)
    }

    static func remove(_ path: String) {
        let layer = POSIXFileLayer()
        do {
            guard let status = try layer.status(path) else { return }
            if status.isDirectory {
                for name in try layer.list(path) {
                    remove(path + "/" + name)
                }
                try layer.removeDirectory(path)
            } else {
                try layer.unlink(path)
            }
        } catch {
            print("left behind: \(error)")
        }
    }
}

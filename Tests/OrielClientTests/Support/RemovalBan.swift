import Foundation

/// Forbids to remove files from folders: by permissions, or where those do not count, as for root, by attributes, which not all file systems have.
enum RemovalBan {
    /// Whether one works here.
    static let isPossible: Bool = {
        let folder = TemporaryFolder()
        let file = folder.path + "/file"
        TemporaryFolder.write([1], to: file)
        guard forbidRemoval(in: folder.path) else { return false }
        defer { allowRemoval(in: folder.path) }
        return unsafe unlink(file) != 0
    }()

    private static var isRoot: Bool { geteuid() == 0 }

    @discardableResult
    static func forbidRemoval(in folder: String) -> Bool {
        isRoot ? chattr("+a", folder) : unsafe chmod(folder, 0o500) == 0
    }

    static func allowRemoval(in folder: String) {
        _ = isRoot ? chattr("-a", folder) : unsafe chmod(folder, 0o700) == 0
    }

    static func forbidChanges(of file: String) {
        _ = isRoot ? chattr("+i", file) : unsafe chmod(file, 0o400) == 0
    }

    static func allowChanges(of file: String) {
        _ = isRoot ? chattr("-i", file) : unsafe chmod(file, 0o600) == 0
    }

    private static func chattr(_ change: String, _ path: String) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/chattr")
        process.arguments = [change, path]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}

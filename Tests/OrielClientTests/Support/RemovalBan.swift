#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Forbids to remove files from folders: by permissions, or where those do not count, as for root, by attributes, which only some file systems of Linux have.
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
    // `FS_APPEND_FL` and `FS_IMMUTABLE_FL` of Linux.
    private static let appendOnly = 0x20
    private static let immutable = 0x10

    @discardableResult
    static func forbidRemoval(in folder: String) -> Bool {
        if isRoot { change(folder) { $0 | appendOnly } } else { unsafe chmod(folder, 0o500) == 0 }
    }

    static func allowRemoval(in folder: String) {
        _ = if isRoot { change(folder) { $0 & ~appendOnly } } else { unsafe chmod(folder, 0o700) == 0 }
    }

    static func forbidChanges(of file: String) {
        _ = if isRoot { change(file) { $0 | immutable } } else { unsafe chmod(file, 0o400) == 0 }
    }

    static func allowChanges(of file: String) {
        _ = if isRoot { change(file) { $0 & ~immutable } } else { unsafe chmod(file, 0o600) == 0 }
    }

    /// Changes the attributes of a file or a folder.
    private static func change(_ path: String, _ changed: (Int) -> Int) -> Bool {
        #if canImport(Glibc)
        // `FS_IOC_GETFLAGS` and `FS_IOC_SETFLAGS`.
        let (get, set): (UInt, UInt) = (0x8008_6601, 0x4008_6602)
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var attributes = 0
        guard unsafe ioctl(descriptor, get, &attributes) == 0 else { return false }
        attributes = changed(attributes)
        return unsafe ioctl(descriptor, set, &attributes) == 0
        #else
        return false
        #endif
    }
}

import Glibc

enum FileMode {
    /// The permission bits of a file, nil if there is none.
    static func of(_ path: String) -> mode_t? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }
}

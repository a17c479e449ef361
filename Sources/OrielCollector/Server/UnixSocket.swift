import Glibc
import NIOCore

/// Makes the listening socket of a `unix:` address.
enum UnixSocket {
    /// Why a socket file could not be made.
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let problem: String

        var description: String { "unix socket \(path): \(problem)" }
    }

    /// Binds and listens on a path with mode 0600. A socket file that nobody answers on is replaced, anything else is left alone.
    ///
    /// - Returns: the listening descriptor, owned by the caller.
    static func listen(path: String, backlog: Int32) throws(Failure) -> Int32 {
        let address: SocketAddress
        do {
            address = try SocketAddress(unixDomainSocketPath: path)
        } catch {
            throw Failure(path: path, problem: "the path is longer than the 107 bytes that a socket may have; choose a shorter one")
        }
        try removeStale(path: path, address: address)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(path: path, problem: SystemError.text(errno)) }
        // On Linux the mode of an unbound socket becomes the mode of its file, so there is no moment when others could connect.
        let result = fchmod(descriptor, 0o600) == 0 ? unsafe address.withSockAddr { unsafe bind(descriptor, $0, socklen_t($1)) } : -1
        guard result == 0, unsafe chmod(path, 0o600) == 0, Glibc.listen(descriptor, backlog) == 0 else {
            let code = errno
            close(descriptor)
            throw Failure(path: path, problem: SystemError.text(code))
        }
        return descriptor
    }

    private static func removeStale(path: String, address: SocketAddress) throws(Failure) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Failure(path: path, problem: "the path exists and is not a socket; remove it or choose another path")
        }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { throw Failure(path: path, problem: SystemError.text(errno)) }
        defer { close(probe) }
        if unsafe address.withSockAddr({ unsafe connect(probe, $0, socklen_t($1)) }) == 0 {
            throw Failure(path: path, problem: "another process is listening on it")
        }
        guard errno == ECONNREFUSED else { throw Failure(path: path, problem: SystemError.text(errno)) }
        guard unsafe unlink(path) == 0 else { throw Failure(path: path, problem: "the stale socket cannot be removed: \(SystemError.text(errno))") }
    }
}

/// Where a listener accepts connections.
///
/// Written `tcp://[::1]:4318`, `tcp://127.0.0.1:0` (port 0 takes a free one), `unix:/path/to/socket` or `fd:3` (a socket that the
/// parent process already listens on). `tcp://` may be left out.
public enum ListenerAddress: Sendable, Hashable {
    case tcp(host: String, port: Int)
    case unix(path: String)
    case fileDescriptor(Int32)

    /// Parses the written form.
    ///
    /// - Throws: ``ListenerAddressError`` with the expected forms.
    public init(parsing text: String) throws(ListenerAddressError) {
        if text.hasPrefix("unix:") {
            var path = text.dropFirst("unix:".count)
            if path.hasPrefix("//") { path = path.dropFirst(2) }
            guard path.hasPrefix("/") else {
                throw ListenerAddressError(text: text, problem: "the socket path must be absolute, as in unix:/run/oriel.sock")
            }
            self = .unix(path: String(path))
            return
        }
        if text.hasPrefix("fd:") {
            guard let descriptor = Int32(text.dropFirst("fd:".count)), descriptor >= 3 else {
                throw ListenerAddressError(text: text, problem: "a file descriptor is a number from 3 up, as in fd:3")
            }
            self = .fileDescriptor(descriptor)
            return
        }
        let rest = text.hasPrefix("tcp://") ? text.dropFirst("tcp://".count) : text[...]
        let host: Substring
        let portText: Substring
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else {
                throw ListenerAddressError(text: text, problem: "the closing ] of the IPv6 address is missing")
            }
            host = rest[rest.index(after: rest.startIndex)..<end]
            let after = rest[rest.index(after: end)...]
            guard after.hasPrefix(":") else {
                throw ListenerAddressError(text: text, problem: "the port is missing, as in tcp://[::1]:4318")
            }
            portText = after.dropFirst()
        } else {
            guard let colon = rest.lastIndex(of: ":") else {
                throw ListenerAddressError(text: text, problem: "the port is missing, as in tcp://127.0.0.1:4318")
            }
            host = rest[..<colon]
            portText = rest[rest.index(after: colon)...]
            if host.contains(":") {
                throw ListenerAddressError(text: text, problem: "an IPv6 address stands in brackets, as in tcp://[::1]:4318")
            }
        }
        guard !host.isEmpty, !host.contains("/") else {
            throw ListenerAddressError(text: text, problem: "expected tcp://HOST:PORT, unix:/PATH or fd:NUMBER")
        }
        guard let port = Int(portText), (0...65535).contains(port) else {
            throw ListenerAddressError(text: text, problem: "the port must be a number from 0 to 65535, not \"\(portText)\"")
        }
        self = .tcp(host: String(host), port: port)
    }

    /// Whether only processes of this machine can reach the address.
    public var isLocal: Bool {
        switch self {
        case .unix: true
        case .fileDescriptor: false
        case .tcp(let host, _): Self.isLoopback(host: host)
        }
    }

    /// Whether a host name or address literal names the loopback interface.
    static func isLoopback(host: String) -> Bool {
        let host = host.lowercased()
        if host == "localhost" || host == "::1" || host == "0:0:0:0:0:0:0:1" || host.hasSuffix(".localhost") { return true }
        if host.hasPrefix("::ffff:127.") { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

extension ListenerAddress: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        case .fileDescriptor(let descriptor): "fd:\(descriptor)"
        }
    }
}

/// A listener address that cannot be read.
public struct ListenerAddressError: Error, Sendable, Equatable, CustomStringConvertible {
    public let text: String
    public let problem: String

    public var description: String { "listener address \"\(text)\": \(problem)" }
}

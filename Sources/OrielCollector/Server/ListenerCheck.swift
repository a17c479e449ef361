import Glibc
import NIOCore

/// Whether the TCP listeners of a configuration can be opened, found out before anything is made for the server that would listen on them.
public enum ListenerCheck {
    /// Takes the address of each TCP listener and gives it back. Listeners that a service manager opened are left alone.
    ///
    /// Nothing listens meanwhile: a client that is just connecting would be taken in by somebody who never answers.
    ///
    /// - Parameter environment: of the process, for what a service manager says.
    /// - Throws: ``ListenError`` that the server would meet.
    public static func run(_ configuration: CollectorConfiguration, environment: [String: String]) throws(ListenError) {
        guard ServiceManager(environment: environment).listeningDescriptors.isEmpty else { return }
        for listener in configuration.listeners {
            guard case .tcp(let host, let port) = listener.address else { continue }
            let address: SocketAddress
            do {
                address = try SocketAddress.makeAddressResolvingHost(host, port: port)
            } catch {
                throw ListenError(address: listener.address, problem: "\(error)")
            }
            let code = errorTaking(address)
            guard code != 0 else { continue }
            let failure = ListenError(address: listener.address, code: code)
            if listener.isOptional, failure.isMissingAddress { continue }
            throw failure
        }
    }

    /// - Returns: 0, or the `errno` of what failed. An address that somebody listens on is taken, whatever options both have.
    private static func errorTaking(_ address: SocketAddress) -> Int32 {
        let descriptor = socket(address.protocol.rawValue, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var reuses: Int32 = 1
        guard unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuses, socklen_t(MemoryLayout<Int32>.size)) == 0 else { return errno }
        return unsafe address.withSockAddr { unsafe bind(descriptor, $0, socklen_t($1)) } == 0 ? 0 : errno
    }
}

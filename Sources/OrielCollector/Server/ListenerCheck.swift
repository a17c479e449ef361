import NIOCore
import NIOPosix

/// Whether the TCP listeners of a configuration can be opened, found out before anything is made for the server that would listen on them.
public enum ListenerCheck {
    /// Opens each TCP listener and closes it again. Listeners that a service manager opened are left alone.
    ///
    /// - Parameter environment: of the process, for what a service manager says.
    /// - Throws: ``ListenError`` that the server would meet.
    public static func run(_ configuration: CollectorConfiguration, environment: [String: String]) async throws(ListenError) {
        guard ServiceManager(environment: environment).listeningDescriptors.isEmpty else { return }
        for listener in configuration.listeners {
            guard case .tcp(let host, let port) = listener.address else { continue }
            do {
                let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                try await bootstrap.bind(host: host, port: port).get().close().get()
            } catch let error as IOError {
                let failure = ListenError(address: listener.address, code: error.errnoCode)
                if listener.isOptional, failure.isMissingAddress { continue }
                throw failure
            } catch {
                throw ListenError(address: listener.address, problem: "\(error)")
            }
        }
    }
}

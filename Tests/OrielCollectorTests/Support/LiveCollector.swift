import Logging
import NIOCore
import OrielStore
import Synchronization

@testable import OrielCollector

/// A collector that runs on free ports for the time of a closure.
struct LiveCollector {
    let collector: Collector
    let store: TestStore
    let log: MemoryLog
    let folder: TemporaryFolder
    let listeners: [BoundListener]
    private let task: Task<Void, any Error>

    /// The port of the n-th TCP listener.
    func port(_ index: Int = 0) -> Int {
        let ports = listeners.compactMap { if case .tcp(_, let port) = $0.address { port } else { nil } }
        return ports[index]
    }

    /// Ends the collector as a signal would, and waits for its end.
    func stop() async throws {
        task.cancel()
        try await task.value
    }

    /// Runs a collector while the body runs. Without listeners of its own it has one on 127.0.0.1 and one on a unix socket.
    static func run<Result>(
        listeners: [ListenerConfiguration]? = nil, tokens: (any TokenStore)? = nil, administration: (any StoreAdministration)? = nil,
        configure: (inout CollectorConfiguration) -> Void = { _ in },
        _ body: (LiveCollector) async throws -> Result
    ) async throws -> Result {
        let folder = try TemporaryFolder()
        var configuration = CollectorConfiguration(
            dataFolder: folder.path,
            listeners: listeners ?? [
                ListenerConfiguration(address: .tcp(host: "127.0.0.1", port: 0)),
                ListenerConfiguration(address: .unix(path: CollectorConfiguration.socketPath(dataFolder: folder.path))),
            ])
        configuration.limits.drainTimeout = .seconds(5)
        configure(&configuration)
        let log = MemoryLog()
        let store = TestStore()
        let collector = Collector(configuration: configuration, store: store, tokens: tokens, administration: administration, logger: log.logger)
        let task = Task { try await collector.run() }
        let bound: [BoundListener]
        do {
            bound = try await collector.boundListeners()
        } catch {
            task.cancel()
            throw error
        }
        let live = LiveCollector(collector: collector, store: store, log: log, folder: folder, listeners: bound, task: task)
        let result: Result
        do {
            result = try await body(live)
        } catch {
            store.release()
            task.cancel()
            _ = await task.result
            throw error
        }
        store.release()
        try await live.stop()
        return result
    }
}

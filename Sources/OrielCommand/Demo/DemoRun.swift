import OrielTelemetry
import ServiceLifecycle

/// The shop as a service beside the collector: it waits for the listeners, sends the past, then lives until it is told to end.
struct DemoRun: Service {
    let endpoint: @Sendable () async throws -> LoadEndpoint
    /// Seconds after the warm-up; `nil` runs until it is interrupted.
    let duration: Double?
    /// Called once the past is sent, with the trace of a checkout that failed.
    let ready: @Sendable (LoadEndpoint, TraceID?) async throws -> Void

    func run() async throws {
        let endpoint = try await endpoint()
        let now = Timestamp.now
        var shop = DemoShop(exporter: DemoExporter(endpoint: endpoint), seed: UInt64(bitPattern: now.nanoseconds), now: now)
        let progress = ProgressLine("a quarter of an hour of the shop's past, in seconds", total: Int(DemoShop.past))
        do {
            try await shop.sendPast(until: now) { _ in progress.advance(by: 15) }
            progress.finish()
        } catch {
            progress.finish()
            throw error
        }
        try await ready(endpoint, shop.failedCheckout)
        let clock = ContinuousClock()
        let end = duration.map { clock.now + .seconds($0) }
        var last = now
        var tick = 0
        while !Task.isShuttingDownGracefully, end.map({ clock.now < $0 }) ?? true {
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
            } catch is CancellationError {
                return
            }
            tick += 1
            let present = Timestamp.now
            try await shop.sendPresent(from: last, to: present, withMetrics: tick % 5 == 0)
            last = present
        }
    }
}

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
        var past = DemoPast(exporter: DemoExporter(endpoint: endpoint), seed: UInt64(bitPattern: now.nanoseconds), now: now)
        let progress = ProgressLine("a quarter of an hour of the shop's past, in seconds", total: Int(DemoPast.length))
        do {
            try await past.send(until: now) { progress.advance(by: Int($0)) }
            progress.finish()
        } catch {
            progress.finish()
            throw error
        }
        try await ready(endpoint, past.failedCheckout)
        let present = try DemoPresent(endpoint: endpoint, after: past)
        await present.run(until: duration.map { .now + .seconds($0) })
        // The collector listens until this service has ended.
        await present.services.shutdown()
    }
}

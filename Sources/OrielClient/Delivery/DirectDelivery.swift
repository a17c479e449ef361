import OrielTelemetry
import Synchronization

/// What a console does for lines that nobody would see otherwise: those before a crash, and those after the end.
final class DirectDelivery: Sendable {
    /// The longest that a thread which logs waits for the console.
    private static let patience: Int64 = 50_000_000
    /// How long nobody waits after somebody has waited in vain: lines in a row must not each take the service's time.
    private static let impatience: Duration = .seconds(1)

    private let shared: DeliveryPipeline.Shared
    private let builder: RequestBuilder
    private let exporter: any TelemetryExporter
    /// Whether the console took nothing when it was last asked: the next line does not wait. The lock is held while a line is written.
    private let isBlocked = Mutex(false)
    /// Until when nobody waits for the delivery thread.
    private let impatientUntil = Mutex<ContinuousClock.Instant?>(nil)

    init(_ shared: DeliveryPipeline.Shared, _ builder: RequestBuilder, _ exporter: any TelemetryExporter) {
        self.shared = shared
        self.builder = builder
        self.exporter = exporter
    }

    /// Waits until the delivery thread has sent what was added before, or for a moment.
    func settle() {
        let deadline = Timestamp.now.advanced(by: Self.patience)
        // Where it is not sent by then, nothing more can be done.
        wait(for: shared.begin(DeliveryFlush(deadline: deadline, includesMetrics: false)), until: deadline)
    }

    /// Waits, unless somebody has waited in vain shortly before.
    private func wait(for end: Completion, until deadline: Timestamp) {
        if impatientUntil.withLock({ $0.map { ContinuousClock.now < $0 } ?? false }) { return }
        if !end.waitBlocking(until: deadline), deadline <= .now { impatientUntil.withLock { $0 = .now + Self.impatience } }
    }

    /// Sends a record that came after the end, on this thread.
    ///
    /// - Returns: whether it was taken.
    func send(_ record: Span<UInt8>, _ scope: RecordScope, of signal: ExportSignal) -> Bool {
        let deadline = Timestamp.now.advanced(by: Self.patience)
        guard let end = shared.requests.withLock({ $0.end })?.completion else { return false }
        // What came before is sent before it, by the delivery thread, which then leaves the exporter alone.
        wait(for: end, until: deadline)
        guard end.hasEnded else { return false }
        var chunk = RecordQueue.Chunk()
        chunk.append(record, scope: scope.number)
        var assembly = builder.assembly(signal)
        guard let batch = assembly.add(chunk).first ?? assembly.finish() else { return false }
        return isBlocked.withLock { isBlocked in
            guard case .delivered(let rejected, let message) = exporter.export(batch, deadline: isBlocked ? .now : deadline) else {
                isBlocked = true
                return false
            }
            isBlocked = false
            shared.report.withLock { $0.deliver(batch, rejected: rejected, message) }
            return true
        }
    }
}

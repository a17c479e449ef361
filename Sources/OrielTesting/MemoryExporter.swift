package import OrielClient
import OrielOTLP
package import OrielTelemetry
import Synchronization

/// Keeps what is exported, decoded.
package final class MemoryExporter: TelemetryExporter {
    private struct Contents {
        var spans: [CapturedSpan] = []
        var logs: [CapturedLog] = []
        var metrics: [ExportBatch] = []
    }

    private let contents = Mutex(Contents())

    package init() {}

    /// In the order in which they ended.
    package var spans: [CapturedSpan] { Self.sorted(contents.withLock { $0.spans }) { $0.span.endTime } }
    /// In the order in which they were emitted.
    package var logs: [CapturedLog] { Self.sorted(contents.withLock { $0.logs }) { $0.record.observedTime } }

    /// Threads hand over what they made in chunks, so that rows of different threads come in groups.
    private static func sorted<Row>(_ rows: [Row], by time: (Row) -> Timestamp) -> [Row] {
        let times = rows.map(time)
        return rows.indices.sorted { (times[$0], $0) < (times[$1], $1) }.map { rows[$0] }
    }

    /// Requests of metrics, as they came.
    package var metrics: [ExportBatch] { contents.withLock { $0.metrics } }

    package func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
        var decoder = OTLPDecoder()
        do throws(OTLPError) {
            switch batch.signal {
            case .spans:
                let rows = try decoder.traces(batch.request.span).batch
                let spans = (0..<rows.count).map { CapturedSpan(span: rows.span(at: $0)) }
                contents.withLock { $0.spans += spans }
            case .logs:
                let rows = try decoder.logs(batch.request.span, receiveTime: .now).batch
                let logs = (0..<rows.count).map { CapturedLog(record: rows.record(at: $0), label: Self.label(of: $0, in: rows)) }
                contents.withLock { $0.logs += logs }
            case .metrics: contents.withLock { $0.metrics.append(batch) }
            }
            return .delivered()
        } catch {
            return .refused(reason: "\(error)")
        }
    }

    /// The name of a record's scope.
    private static func label(of row: Int, in rows: LogBatch) -> String {
        let descriptor = rows.streams.descriptor(Int(rows.streamIndexes[row]))
        do {
            if case .scope(_, let scope) = try StreamDescriptor(encoded: descriptor.span) { return scope.name }
        } catch {
            // The decoder made the descriptor itself just now.
        }
        return ""
    }
}

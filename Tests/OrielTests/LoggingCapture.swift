import Logging
import Oriel
import OrielClient
import OrielOTLP
import OrielTelemetry
import Synchronization

/// A pipeline whose requests are kept, to see what a log handler wrote.
final class LoggingCapture: Sendable {
    private final class Keeper: TelemetryExporter {
        let batches = Mutex<[ExportBatch]>([])

        func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
            batches.withLock { $0.append(batch) }
            return .delivered()
        }
    }

    struct Record {
        var scope: String
        var time: Int64
        var observedTime: Int64
        var severity: Int64
        var level: String
        var body: AttributeValue
        var attributes: [String: AttributeValue]
        var attributeCount: Int
        var dropped: Int64
        var traceID: TraceID
        var spanID: UInt64
        var flags: Int64
    }

    private let keeper = Keeper()
    let pipeline: DeliveryPipeline

    init() throws {
        pipeline = try DeliveryPipeline(name: "test", exporter: keeper, resource: Resource())
    }

    func logger(
        _ label: String = "shop", level: Logging.Logger.Level = .trace, options: Oriel.LogOptions = .init(), metadata: Logging.Logger.Metadata = [:],
        provider: Logging.Logger.MetadataProvider? = nil
    ) -> Logging.Logger {
        Logging.Logger(label: label) { label in
            Oriel.LogHandler(
                label: label, queues: [self.pipeline.logs], options: options, logLevel: level, metadata: metadata, metadataProvider: provider)
        }
    }

    /// All records so far, in the order of their requests.
    func records() throws -> [Record] {
        pipeline.flushBlocking(deadline: Timestamp.now.advanced(by: 30_000_000_000))
        var records: [Record] = []
        for batch in keeper.batches.withLock({ $0 }) {
            var decoder = OTLPDecoder()
            let request = batch.request
            let decoded = try decoder.logs(request.span, receiveTime: Timestamp(nanoseconds: 1))
            let rows = decoded.batch
            for row in 0..<rows.count {
                guard case .scope(_, let scope) = try rows.streams.decoded(Int(rows.streamIndexes[row])) else { continue }
                let attributes = rows.attributes.attributes(of: row)
                records.append(
                    Record(
                        scope: scope.name, time: rows.times[row], observedTime: rows.observedTimes[row], severity: rows.severityNumbers[row],
                        level: rows.severityTexts.string(at: row), body: rows.body(at: row),
                        attributes: Dictionary(attributes.map { ($0.key, $0.value) }) { $1 }, attributeCount: attributes.count,
                        dropped: rows.droppedAttributesCounts[row], traceID: rows.traceIDs[row], spanID: rows.spanIDs[row], flags: rows.flags[row]))
            }
            // A key that was written twice would be no valid OTLP.
            struct DuplicateKeys: Error {}
            if rows.attributes.duplicateCount > 0 { throw DuplicateKeys() }
        }
        return records
    }

    /// The only record.
    func record() throws -> Record? {
        let records = try records()
        return records.count == 1 ? records[0] : nil
    }
}

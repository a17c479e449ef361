public import Logging
public import OrielClient
import OrielTelemetry

extension Oriel {
    /// A swift-log backend that hands log lines to OrielClient's delivery.
    ///
    /// A line is encoded as an OTLP `LogRecord` by the thread that logs it, once, straight into the buffer of an OrielClient `RecordQueue`: no record object, no merged dictionary, and
    /// in the steady state no allocation. The call does not wait for the delivery; where there is no room the line is dropped and counted. A
    /// critical line alone waits until the console has it, for 50 ms at most.
    ///
    /// | swift-log | OTLP |
    /// |---|---|
    /// | label | name of the instrumentation scope |
    /// | level | `severity_number` (`severityNumber` of the level) and `severity_text` in upper case |
    /// | message | `body` |
    /// | metadata of the event, of the provider, of the handler | `attributes`; of one key the first of these counts |
    /// | error | `exception.type`, `exception.message`, unless the metadata has them |
    /// | file, line, function | `code.file.path`, `code.line.number`, `code.function.name`, only with ``LogOptions/includesCode`` |
    /// | source | `log.source`, only with ``LogOptions/includesCode`` and where it is given: otherwise it is the beginning of the file's path |
    ///
    /// Trace id, span id and flags are those of the span that the task is in. Integers, floating-point numbers and booleans that come as `.stringConvertible` keep their type, dictionaries and
    /// arrays become maps and arrays. Descriptions of values and metadata providers are called without any lock, so they may log themselves.
    public struct LogHandler: Logging.LogHandler {
        /// What every line of this logger carries.
        public var metadata: Logging.Logger.Metadata
        /// Less severe lines are dropped by swift-log before they come here.
        public var logLevel: Logging.Logger.Level
        /// Is asked for metadata at each line.
        public var metadataProvider: Logging.Logger.MetadataProvider?
        private let target: LogTarget

        /// - Parameters:
        ///   - label: the logger's name.
        ///   - queues: where lines go, each line to all of them; none drops all lines.
        ///   - options: what is written of a line, and how much.
        public init(
            label: String, queues: [RecordQueue], options: LogOptions = LogOptions(), logLevel: Logging.Logger.Level = .info,
            metadata: Logging.Logger.Metadata = [:], metadataProvider: Logging.Logger.MetadataProvider? = nil
        ) {
            self.metadata = metadata
            self.logLevel = logLevel
            self.metadataProvider = metadataProvider
            target = LogTarget(label: label, queues: queues, options: options, delivery: nil)
        }

        /// A backend that keeps the delivery of its lines alive.
        init(
            label: String, queues: [RecordQueue], options: LogOptions, logLevel: Logging.Logger.Level, metadataProvider: Logging.Logger.MetadataProvider?,
            delivery: TelemetryDelivery
        ) {
            metadata = [:]
            self.logLevel = logLevel
            self.metadataProvider = metadataProvider
            target = LogTarget(label: label, queues: queues, options: options, delivery: delivery)
        }

        public subscript(metadataKey key: String) -> Logging.Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        public func log(event: LogEvent) {
            guard let first = target.first else { return }
            first.queue.add(first.scope) { writer in
                LogRecordEncoding.write(
                    event, handler: metadata, provider: metadataProvider, options: target.options, label: target.namelessLabel, to: &writer)
                // Encoded once: the other queues get a copy, and descriptions are not asked twice.
                for sink in target.others { sink.queue.add(sink.scope, encoded: writer.bytes.span) }
            }
            // It may be the last line of a process that crashes.
            if event.level == .critical { target.settle() }
        }
    }
}

/// Where a logger's lines go. One object that the copies of a logger share, so that they stay small.
private final class LogTarget: Sendable {
    struct Sink: Sendable {
        let queue: RecordQueue
        let scope: RecordScope
    }

    let first: Sink?
    let others: [Sink]
    let options: Oriel.LogOptions
    /// The label where a queue has no scope for it, since there are so many already.
    let namelessLabel: String?
    /// Lives as long as a logger that needs it; `nil` where somebody else sees to that.
    private let delivery: TelemetryDelivery?

    init(label: String, queues: [RecordQueue], options: Oriel.LogOptions, delivery: TelemetryDelivery?) {
        let sinks = queues.map { Sink(queue: $0, scope: $0.scope(InstrumentationScope(name: label))) }
        first = sinks.first
        others = Array(sinks.dropFirst())
        namelessLabel = !label.isEmpty && sinks.contains { $0.scope.isNameless } ? label : nil
        self.options = options
        self.delivery = delivery
    }

    /// Waits for a moment until lines for a console are written.
    func settle() {
        first?.queue.settle()
        for sink in others { sink.queue.settle() }
    }
}

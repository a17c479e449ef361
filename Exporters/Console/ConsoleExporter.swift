public import OrielClient
import OrielOTLP
public import OrielTelemetry
import Synchronization

/// Writes telemetry to a file descriptor, standard error as a rule: an object of JSON a line for machines, a coloured line for people.
///
/// A line of JSON of a log record, as CloudWatch, `docker logs` and their readers like it; what is empty is left out:
///
///     {"time":"2026-11-24T15:20:28.000000000Z","level":"INFO","message":"order placed","logger":"shop","trace_id":"…","span_id":"…","attributes":{"user.id":"u1"}}
///
/// Attributes are in an object of their own, under their full names, so that none of them can be taken for one of the other keys. Spans have `span`, `kind`, `duration_ms`, `status`, `events` and
/// `links`; metrics `metric`, `labels` and `value` under the names that Prometheus would give them.
///
/// The descriptor is neither closed nor made non-blocking, since others use it too. Where it takes nothing, the exporter waits up to the deadline and fails; a retry goes on behind the last byte
/// that was written, so that no line comes twice or in pieces. Where the reader has gone the batch is refused, so that nothing piles up, and the process gets no `SIGPIPE`. A single write may
/// wait longer than the deadline when another process fills the same pipe in the same moment.
public final class ConsoleExporter: TelemetryExporter {
    /// How lines look.
    public enum Form: String, Hashable, Sendable, CaseIterable {
        /// ``pretty`` on a terminal, else ``json``.
        case auto
        /// An object a line.
        case json
        /// For people: local time, level, logger, message, attributes. Control characters are escaped, so that what was logged cannot drive the terminal. Coloured on a terminal unless
        /// `NO_COLOR`, `CLICOLOR=0` or `TERM=dumb` say otherwise; `CLICOLOR_FORCE` colours in any case.
        case pretty
    }

    fileprivate struct State {
        var decoder = OTLPDecoder(options: ConsoleExporter.decoderOptions)
        var buffer: [UInt8] = []
        /// Where the rows in the buffer end. Both are empty between exports.
        var rowEnds: [Int] = []
        /// The rest of a row that was written in part.
        var rest: [UInt8] = []
        /// The batch of each kind of telemetry that was written in part.
        var unfinished: [ExportSignal: (batch: ExportBatch, rows: Int)] = [:]
    }

    private static var decoderOptions: OTLPDecoder.Options {
        var options = OTLPDecoder.Options()
        // All lines are of the same process, so what it is need not be on each.
        options.metrics.promotedResourceAttributes = []
        return options
    }

    private let descriptor: Int32
    private let style: ConsoleStyle
    /// `nil` while an export uses it.
    private let state = Mutex<State?>(State())
    private let limit = DeadlineLimit()

    /// - Parameters:
    ///   - descriptor: stays the caller's, who keeps it open.
    ///   - usesColor: of ``Form/pretty``; `nil` asks the environment.
    public init(descriptor: Int32 = 2, form: Form = .auto, usesColor: Bool? = nil) {
        self.descriptor = descriptor
        style = ConsoleStyle(form: form, usesColor: usesColor, isTerminal: ConsoleStyle.isTerminal(descriptor), environment: ConsoleStyle.variable)
    }

    public func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
        var state =
            state.withLock { shared in
                let state = shared
                shared = nil
                return state
            } ?? State()
        defer { self.state.withLock { $0 = state } }

        let rows: ConsoleRows
        do throws(OTLPError) {
            rows = try ConsoleRows(batch, decoder: &state.decoder)
        } catch {
            return .refused(reason: "the console cannot read the request: \(error)")
        }
        var next = 0
        if let unfinished = state.unfinished[batch.signal], unfinished.batch.request == batch.request {
            next = unfinished.rows
            state.unfinished[batch.signal] = nil
        }
        let writer = DescriptorWriter(descriptor: descriptor, deadline: Deadline(deadline, limit: limit))
        return BrokenPipe.withoutSignal { state.write(rows, of: batch, from: next, style: style, to: writer) }
    }

    public func endExports(by deadline: Timestamp) { limit.set(deadline) }

    /// Lifts what ``endExports(by:)`` said: the lines of threads that log after the end have a time of their own.
    public func shutdown() { limit.lift() }
}

extension ConsoleExporter.State {
    /// Bytes of the buffer from which on it is written.
    private static let bufferBytes = 32 << 10
    /// A buffer that grew beyond this is not kept.
    private static let keptBytes = 256 << 10

    mutating func write(_ rows: ConsoleRows, of batch: ExportBatch, from start: Int, style: ConsoleStyle, to writer: DescriptorWriter) -> ExportOutcome {
        var next = start
        if !rest.isEmpty {
            let outcome = writer.write(rest.span)
            if case .stopped(let written, _) = outcome { rest.removeFirst(written) } else { rest = [] }
            if let failure = failure(outcome, batch, rows: next) { return failure }
        }
        while next < rows.count {
            let first = next
            while next < rows.count, buffer.count < Self.bufferBytes {
                rows.append(next, style: style, to: &buffer)
                rowEnds.append(buffer.count)
                next += 1
            }
            let outcome = writer.write(buffer.span)
            var done = next
            if case .stopped(let written, _) = outcome {
                let complete = rowEnds.count { $0 <= written }
                let begun = complete < rowEnds.count && written > (complete == 0 ? 0 : rowEnds[complete - 1])
                if begun { rest = Array(buffer[written..<rowEnds[complete]]) }
                // A row that was begun is done once its rest is written, which is what the next export does first.
                done = first + complete + (begun ? 1 : 0)
            }
            rowEnds.removeAll(keepingCapacity: true)
            buffer.removeAll(keepingCapacity: buffer.capacity <= Self.keptBytes)
            if let failure = failure(outcome, batch, rows: done) { return failure }
        }
        return .delivered()
    }

    private mutating func failure(_ outcome: DescriptorWriter.Outcome, _ batch: ExportBatch, rows: Int) -> ExportOutcome? {
        switch outcome {
        case .written: return nil
        case .gone(let reason): return .refused(reason: "the console cannot be written to: \(reason)")
        case .stopped(_, let reason):
            unfinished[batch.signal] = (batch, rows)
            return .failed(reason: "the console cannot be written to: \(reason)")
        }
    }
}

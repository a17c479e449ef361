import CoreMetrics
import Foundation
import Logging
import Oriel
import Tracing

/// One thread of the service: makes spans, each with a log line in it, and counts and times them.
///
/// So that a test can ask for each of them, the spans of ``blockLength`` rounds are children of a remote span whose ids follow from the thread's number and the block's.
struct Worker {
    static let blockLength = 250
    /// The first half of all trace ids.
    static let traceHigh: UInt64 = 0x746f_7274_7572_6531

    /// What became of a thread.
    struct Report: Sendable {
        var rounds = 0
        var meter: CallMeter
        var voluntarySwitches = 0
        var involuntarySwitches = 0
        var processorTime: UInt64 = 0
    }

    let number: Int
    let telemetry: Oriel.Telemetry
    let options: Options

    func run(until end: UInt64) -> Report {
        let logger = Logger(label: "torture.\(number)") { telemetry.logHandler(label: $0) }
        let counter = CoreMetrics.Counter(label: "torture.calls", dimensions: [("thread", "\(number)")], factory: telemetry.metricsFactory)
        let timer = CoreMetrics.Timer(label: "torture.step", dimensions: [], factory: telemetry.metricsFactory)
        var report = Report(meter: CallMeter())
        let begin = ThreadClock.wall
        let before = ThreadClock.switches
        let computed = ThreadClock.processor
        var ownPauses = 0
        var context = ServiceContext.topLevel
        while true {
            let round = report.rounds
            if round % Self.blockLength == 0 { context = remoteContext(block: round / Self.blockLength) }
            let now = ThreadClock.wall
            if now >= end { break }
            if options.rate > 0 {
                let due = begin + UInt64(Double(round) * 1e9 / options.rate)
                if due > now {
                    Thread.sleep(forTimeInterval: Double(min(due, end) - now) / 1e9)
                    ownPauses += 1
                    report.meter.pause()
                }
            }
            call(round, context, logger, counter, timer, &report.meter)
            report.rounds += 1
        }
        let after = ThreadClock.switches
        report.voluntarySwitches = after.voluntary - before.voluntary - ownPauses
        report.involuntarySwitches = after.involuntary - before.involuntary
        report.processorTime = ThreadClock.processor - computed
        return report
    }

    private func call(
        _ round: Int, _ context: ServiceContext, _ logger: Logger, _ counter: CoreMetrics.Counter, _ timer: CoreMetrics.Timer, _ meter: inout CallMeter
    ) {
        let span = meter.measure(.span) {
            let span = telemetry.tracer.startSpan(
                "torture step", context: context, ofKind: .internal, at: DefaultTracerClock.now, function: #function, file: #fileID, line: #line)
            span.updateAttributes { attributes in
                attributes["item"] = round
                attributes["thread"] = number
                attributes["http.route"] = "/cart/{id}"
            }
            return span
        }
        ServiceContext.withValue(span.context) {
            meter.measure(.log) {
                logger.info(
                    "torture item \(round)",
                    metadata: ["item": .stringConvertible(round), "thread": .stringConvertible(number), "path": "/cart/42", "user": "somebody"])
            }
            meter.measure(.counter) { counter.increment() }
            meter.measure(.timer) { timer.recordNanoseconds(Int64(round % 1000) * 1000) }
        }
        meter.measure(.span) { span.end() }
        meter.measure(.nothing) {}
    }

    private func remoteContext(block: Int) -> ServiceContext {
        let low = UInt64(number + 1) << 48 | UInt64(block)
        let traceID = Self.hexadecimal(Self.traceHigh) + Self.hexadecimal(low)
        var context = ServiceContext.topLevel
        telemetry.tracer.extract(["traceparent": "00-\(traceID)-00000000000000ff-01"], into: &context, using: DictionaryExtractor())
        return context
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

private struct DictionaryExtractor: Extractor {
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import OrielClient
import OrielOTLP
import OrielTelemetry
import OrielThreads
import Synchronization
import Testing

@testable import OrielExporterConsole

@Suite struct ConsoleDeliveryTests {
    private let pipe: ConsolePipe

    init() throws {
        pipe = try ConsolePipe()
    }

    private var later: Timestamp { Timestamp.now.advanced(by: 60_000_000_000) }
    private var verySoon: Timestamp { Timestamp.now.advanced(by: 20_000_000) }

    /// Records whose lines do not fit a pipe all together.
    private func manyRecords(_ count: Int = 400, length: Int = 1000) -> ExportBatch {
        ConsoleBatches.logs((0..<count).map { ConsoleBatches.record(.string("\($0) " + String(repeating: "x", count: length))) })
    }

    private func isFailed(_ outcome: ExportOutcome) -> Bool {
        if case .failed = outcome { true } else { false }
    }

    private func isRefused(_ outcome: ExportOutcome) -> Bool {
        if case .refused = outcome { true } else { false }
    }

    private func numbers(_ bytes: [UInt8]) -> [Int?] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            let start = "{\"time\":\"2026-11-24T15:20:28.000000007Z\",\"level\":\"INFO\",\"message\":\""
            guard line.hasPrefix(start), line.hasSuffix("xxx\",\"logger\":\"shop\"}") else { return nil }
            return Int(line.dropFirst(start.count).prefix { $0.isNumber })
        }
    }

    @Test func aBlockedPipeFailsAtTheDeadlineAndARetryGoesOnWhereItEnded() {
        let exporter = ConsoleExporter(descriptor: pipe.writeEnd, form: .json)
        for length in [1000, 10_000] {
            let batch = manyRecords(length: length)
            var bytes: [UInt8] = []
            var outcome = exporter.export(batch, deadline: verySoon)
            #expect(isFailed(outcome))
            var attempts = 0
            while isFailed(outcome), attempts < 100_000 {
                // Odd numbers of bytes, so that lines end anywhere.
                bytes += pipe.take(upTo: 30_011)
                outcome = exporter.export(batch, deadline: verySoon)
                attempts += 1
            }
            #expect(outcome == .delivered())
            bytes += pipe.take()
            #expect(numbers(bytes) == Array(0..<400))
        }
    }

    @Test func anotherBatchAfterAFailureDoesNotTearALine() {
        let exporter = ConsoleExporter(descriptor: pipe.writeEnd, form: .json)
        #expect(isFailed(exporter.export(manyRecords(length: 10_000), deadline: verySoon)))
        var bytes = pipe.take()
        #expect(exporter.export(manyRecords(2), deadline: later) == .delivered())
        bytes += pipe.take()
        let numbers = numbers(bytes)
        #expect(!numbers.contains(nil))
        #expect(numbers.suffix(2) == [0, 1])
        #expect(numbers.dropLast(2) == ArraySlice((0..<(numbers.count - 2)).map { $0 }))
    }

    @Test func aRetryGoesOnWhereItEndedThoughOtherTelemetryCameBetween() {
        let exporter = ConsoleExporter(descriptor: pipe.writeEnd, form: .json)
        let batch = manyRecords()
        var outcome = exporter.export(batch, deadline: verySoon)
        #expect(isFailed(outcome))
        var bytes = pipe.take()
        let span = ConsoleBatches.spans([
            OTLPSpan(
                traceID: ConsoleBatches.trace, spanID: ConsoleBatches.span, name: "GET /", startTime: ConsoleBatches.time, endTime: ConsoleBatches.time)
        ])
        var attempts = 0
        while isFailed(outcome), attempts < 1000 {
            #expect(exporter.export(span, deadline: later) == .delivered())
            bytes += pipe.take()
            outcome = exporter.export(batch, deadline: verySoon)
            bytes += pipe.take()
            attempts += 1
        }
        #expect(outcome == .delivered() && attempts > 0)
        #expect(numbers(bytes).compactMap { $0 } == Array(0..<400))
    }

    @Test func anEndThatComesNearerEndsAnExportUnderWay() async {
        pipe.fill()
        let exporter = ConsoleExporter(descriptor: pipe.writeEnd, form: .json)
        let batch = manyRecords(1)
        let export = Completion()
        let thread = Mutex<ExportOutcome?>(nil)
        let deadline = Timestamp.now.advanced(by: 1_000_000_000_000)
        guard
            (try? OwnThread(name: "export") {
                let outcome = exporter.export(batch, deadline: deadline)
                thread.withLock { $0 = outcome }
                export.end(true)
            }) != nil
        else { return #expect(Bool(false), "no thread") }
        exporter.endExports(by: .now)
        #expect(await export.wait(until: later))
        #expect(thread.withLock { $0.map(isFailed) } == true)
        // What comes after the end has its own time.
        exporter.shutdown()
        _ = pipe.take()
        #expect(exporter.export(batch, deadline: later) == .delivered())
    }

    @Test func aDeadlineThatIsOverFailsAtOnceWhenNothingFits() {
        pipe.fill()
        let exporter = ConsoleExporter(descriptor: pipe.writeEnd, form: .json)
        #expect(isFailed(exporter.export(manyRecords(1), deadline: Timestamp(nanoseconds: 0))))
        _ = pipe.take()
        #expect(exporter.export(manyRecords(1), deadline: later) == .delivered())
        #expect(numbers(pipe.take()) == [0])
    }

    @Test func aNonBlockingPipeIsWaitedFor() throws {
        _ = fcntl(pipe.writeEnd, F_SETFL, fcntl(pipe.writeEnd, F_GETFL) | O_NONBLOCK)
        let exporter = ConsoleExporter(descriptor: pipe.writeEnd, form: .json)
        let batch = manyRecords()
        let outcome = Mutex<ExportOutcome?>(nil)
        let deadline = later
        let result = Holder(outcome: outcome)
        let thread = try OwnThread(name: "console") { result.set(exporter.export(batch, deadline: deadline)) }
        var bytes: [UInt8] = []
        while result.outcome == nil, Timestamp.now < deadline { bytes += pipe.take() }
        _ = consume thread
        bytes += pipe.take()
        #expect(result.outcome == .delivered())
        #expect(numbers(bytes) == Array(0..<400))
    }

    @Test func aReaderThatHasGoneRefusesAndRaisesNoSignal() {
        let exporter = ConsoleExporter(descriptor: pipe.writeEnd, form: .json)
        pipe.closeReadEnd()
        // The default action of the signal would end the tests.
        for _ in 0..<3 { #expect(isRefused(exporter.export(manyRecords(3), deadline: later))) }
        var pending = sigset_t()
        _ = unsafe sigpending(&pending)
        #expect(unsafe sigismember(&pending, SIGPIPE) == 0)
    }

    @Test func theSignalsOfTheThreadStayAsTheyWere() {
        var before = sigset_t()
        var after = sigset_t()
        _ = unsafe pthread_sigmask(SIG_BLOCK, nil, &before)
        _ = ConsoleExporter(descriptor: pipe.writeEnd, form: .json).export(manyRecords(1), deadline: later)
        _ = unsafe pthread_sigmask(SIG_BLOCK, nil, &after)
        #expect(unsafe sigismember(&before, SIGPIPE) == sigismember(&after, SIGPIPE))
    }

    @Test func whatIsNoDescriptorOrNoRequestIsRefused() {
        #expect(isRefused(ConsoleExporter(descriptor: -1, form: .json).export(manyRecords(1), deadline: later)))
        let exporter = ConsoleExporter(descriptor: pipe.writeEnd, form: .json)
        for signal in ExportSignal.allCases {
            #expect(isRefused(exporter.export(ExportBatch(signal: signal, request: [0xFF, 0xFF, 0xFF], itemCount: 1), deadline: later)))
        }
        #expect(exporter.export(ExportBatch(signal: .logs, request: [], itemCount: 0), deadline: later) == .delivered())
        #expect(pipe.take().isEmpty)
    }

    private final class Holder: Sendable {
        private let value: Mutex<ExportOutcome?>

        init(outcome: consuming Mutex<ExportOutcome?>) {
            value = outcome
        }

        func set(_ outcome: ExportOutcome) { value.withLock { $0 = outcome } }

        var outcome: ExportOutcome? { value.withLock { $0 } }
    }
}

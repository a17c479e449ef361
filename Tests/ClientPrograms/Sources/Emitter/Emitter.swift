import Foundation
import Logging
import Oriel
import Synchronization

/// Threads that emit telemetry without mercy. It prints `{"event": "begun"}` when they start, and in the end what they made, what became of it and what it cost. The end, the last
/// flush and the shutdown, begins when the threads are done and standard input has ended, so that a test can see to it that the receiver is there.
@main
struct Emitter {
    /// Log lines after the end, which must be counted as dropped.
    private static let lateLines = 10

    static func main() async throws {
        let options = Options(Array(CommandLine.arguments.dropFirst()))
        var configuration = Oriel.Configuration()
        configuration.serviceName = options.service
        configuration.logExporters = [.otlp]
        configuration.otlp.setBase(options.endpoint)
        configuration.delivery.queueBytes = options.queueBytes
        configuration.delivery.metricInterval = .seconds(1)
        let telemetry = try Oriel.telemetry(configuration)
        let logger = Logger(label: "torture") { telemetry.logHandler(label: $0) }

        var memory = Report.Memory(queueBytes: options.queueBytes)
        let crew = Crew(options, telemetry)
        memory.anonymousBytesBefore = MemoryProbe.anonymousBytes
        print(#"{"event": "begun"}"#)
        unsafe fflush(nil)
        crew.begin()
        while !crew.isDone {
            memory.longestQueuedBytes = max(memory.longestQueuedBytes, telemetry.statistics?.queuedBytes ?? 0)
            memory.mostAnonymousBytes = max(memory.mostAnonymousBytes, MemoryProbe.anonymousBytes)
            try await Task.sleep(for: .milliseconds(5))
        }
        while readLine() != nil {}
        let reports = crew.reports
        let flushBegin = ThreadClock.wall
        let isFlushed = await telemetry.flush(timeout: .seconds(20))
        let shutdownBegin = ThreadClock.wall
        let isShutDownClean = await telemetry.shutdown(timeout: .seconds(20))
        let end = ThreadClock.wall
        for number in 0..<lateLines { logger.info("too late \(number)") }
        memory.peakBytes = MemoryProbe.peakBytes

        let statistics = telemetry.statistics ?? Oriel.DeliveryStatistics()
        var meter = CallMeter()
        for report in reports { meter.add(report.meter) }
        let rounds = reports.map(\.rounds).reduce(0, +)
        let calls = meter.durations.map(\.wall.count).reduce(0, +)
        var result = Report(
            threads: options.threads, seconds: options.seconds, rounds: reports.map(\.rounds),
            logs: .init(statistics[.logs], made: rounds + lateLines), spans: .init(statistics[.spans], made: rounds),
            metricPoints: .init(statistics[.metrics], made: 0),
            locks: .init(
                calls: calls, waitingCalls: meter.waits.count, waitingCallsPerMillion: Double(meter.waits.count) * 1e6 / Double(max(calls, 1)),
                waits: meter.waits.summary, voluntarySwitches: reports.map(\.voluntarySwitches).reduce(0, +),
                involuntarySwitches: reports.map(\.involuntarySwitches).reduce(0, +)),
            memory: memory, processorSeconds: Double(reports.map(\.processorTime).reduce(0, +)) / 1e9, failedRequests: statistics.failedRequests,
            lastFailure: statistics.lastFailure, flushSeconds: Double(shutdownBegin - flushBegin) / 1e9, isFlushed: isFlushed,
            shutdownSeconds: Double(end - shutdownBegin) / 1e9, isShutDownClean: isShutDownClean)
        for kind in CallMeter.Kind.allCases {
            let durations = meter.durations[kind.rawValue]
            result.calls["\(kind)"] = .init(processor: durations.processor.summary, wall: durations.wall.summary)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        print(String(decoding: try encoder.encode(result), as: UTF8.self))
    }
}

/// The threads, which all begin at the same time.
private final class Crew: Sendable {
    private struct State {
        var end: UInt64?
        var reports: [Int: Worker.Report] = [:]
    }

    private let state = Mutex(State())
    private let options: Options

    init(_ options: Options, _ telemetry: Oriel.Telemetry) {
        self.options = options
        for number in 0..<options.threads {
            let worker = Worker(number: number, telemetry: telemetry, options: options)
            Thread { [self] in
                while true {
                    if let end = state.withLock({ $0.end }) {
                        let report = worker.run(until: end)
                        state.withLock { $0.reports[number] = report }
                        return
                    }
                    Thread.sleep(forTimeInterval: 0.001)
                }
            }.start()
        }
    }

    func begin() {
        let end = ThreadClock.wall + UInt64(options.seconds * 1e9)
        state.withLock { $0.end = end }
    }

    var isDone: Bool { state.withLock { $0.reports.count == options.threads } }

    /// In the order of their numbers.
    var reports: [Worker.Report] { state.withLock { state in (0..<options.threads).compactMap { state.reports[$0] } } }
}

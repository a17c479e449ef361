import CoreMetrics
import Logging
import OrielClient
import OrielTelemetry
import Testing

@testable import Oriel

/// What the client itself writes to standard error, in processes whose standard error is special.
@Suite(.timeLimit(.minutes(2))) struct StandardErrorTests {
    /// A receiver that wants nothing, so that all is dropped, and told.
    struct RefusingExporter: TelemetryExporter {
        func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome { .refused(reason: "no such tenant") }
    }

    static func refused() throws -> Oriel.Telemetry {
        var configuration = Oriel.Configuration()
        configuration.logExporters = [.otlp]
        return try Oriel.Telemetry(configuration, exporter: RefusingExporter())
    }

    static func console() throws -> Oriel.Telemetry {
        var configuration = Oriel.Configuration()
        configuration.logExporters = [.console]
        configuration.metricExporters = []
        configuration.spanExporters = []
        return try Oriel.telemetry(configuration)
    }

    static func logger(_ telemetry: Oriel.Telemetry) -> Logger { Logger(label: "shop") { telemetry.logHandler(label: $0) } }

    // MARK: Warnings

    @Test func aReaderThatHasGoneDoesNotEndTheProcess() async {
        await #expect(processExitsWith: .success) {
            let standardError = StandardErrorPipe()
            defer { standardError.remove() }
            standardError.closeReadEnd()
            let telemetry = try StandardErrorTests.refused()
            StandardErrorTests.logger(telemetry).info("lost")
            #expect(await telemetry.flush(timeout: .seconds(60)) == false)
            // The warning follows the drop on the same thread, which answers again when it is through.
            await telemetry.flush(timeout: .seconds(60))
            await telemetry.shutdown(timeout: .seconds(60))
            #expect(telemetry.statistics?[.logs].dropped == [.refused: 1])
        }
    }

    @Test func anInstrumentThatIsNotExportedIsTold() async {
        await #expect(processExitsWith: .success) {
            let standardError = StandardErrorPipe()
            defer { standardError.remove() }
            let telemetry = try StandardErrorTests.console()
            let factory = telemetry.metricsFactory
            factory.makeCounter(label: "jobs", dimensions: []).increment(by: 1)
            for _ in 0..<3 { factory.makeMeter(label: "jobs", dimensions: []).set(Int64(1)) }
            #expect(
                standardError.take()
                    == "oriel: metric \"jobs\" is not exported: the name \"jobs\" belongs to the counter \"jobs\" already, a gauge cannot have it\n")
            // Nobody waits for who does not read.
            standardError.fill()
            factory.makeMeter(label: "jobs", dimensions: [("a", "b")]).set(Int64(1))
            factory.makeTimer(label: "jobs.total", dimensions: []).recordNanoseconds(1)
            factory.makeRecorder(label: "jobs.total", dimensions: [], aggregate: true).record(Int64(1))
            _ = standardError.take()
            await telemetry.shutdown(timeout: .seconds(60))
        }
    }

    @Test func problemsOfTheConfigurationAreToldToNobodyWhoHasGone() async {
        await #expect(processExitsWith: .success) {
            let standardError = StandardErrorPipe()
            defer { standardError.remove() }
            var configuration = Oriel.Configuration()
            configuration.otlp.logs.endpoint = "ftp://nowhere"
            standardError.closeReadEnd()
            let telemetry = try Oriel.telemetry(configuration)
            #expect(telemetry.problems.count == 1)
            await telemetry.shutdown(timeout: .seconds(1))
        }
    }

    @Test func aReaderThatSleepsDoesNotStopTheDelivery() async {
        await #expect(processExitsWith: .success) {
            let standardError = StandardErrorPipe()
            defer { standardError.remove() }
            standardError.fill()
            let telemetry = try StandardErrorTests.refused()
            let logger = StandardErrorTests.logger(telemetry)
            for number in 1...3 {
                logger.info("lost")
                await telemetry.flush(timeout: .seconds(60))
                #expect(telemetry.statistics?[.logs].dropped == [.refused: UInt64(number)])
            }
            // It is told when somebody reads again.
            _ = standardError.take()
            await telemetry.shutdown(timeout: .seconds(60))
            let told = standardError.take()
            #expect(told.hasPrefix("oriel: telemetry was dropped: "), "\(told)")
            #expect(told.hasSuffix("last failure: no such tenant\n"), "\(told)")
        }
    }

    // MARK: Lines for the console

    @Test func aCriticalLineIsWrittenBeforeTheCallReturns() async {
        await #expect(processExitsWith: .success) {
            let standardError = StandardErrorPipe()
            defer { standardError.remove() }
            let telemetry = try StandardErrorTests.console()
            let logger = StandardErrorTests.logger(telemetry)
            var written = 0
            for number in 0..<50 {
                logger.info("before \(number)")
                logger.critical("the end \(number)")
                let lines = standardError.take()
                if lines.contains("before \(number)"), lines.contains("the end \(number)") { written += 1 }
            }
            // A machine that is very busy may need more than the 50 ms now and then; without the wait hardly a line would be there.
            #expect(written > 25)
            await telemetry.shutdown(timeout: .seconds(60))
        }
    }

    @Test func aCriticalLineWaitsForNobodyWhoDoesNotRead() async {
        await #expect(processExitsWith: .success) {
            let standardError = StandardErrorPipe()
            defer { standardError.remove() }
            standardError.fill()
            let telemetry = try StandardErrorTests.console()
            let logger = StandardErrorTests.logger(telemetry)
            let start = ContinuousClock.now
            for _ in 0..<100 { logger.critical("nobody sees this") }
            #expect(start.duration(to: .now) < .seconds(30))
            await telemetry.shutdown(timeout: .milliseconds(100))
        }
    }

    @Test func linesAfterTheEndAreWritten() async {
        await #expect(processExitsWith: .success) {
            let standardError = StandardErrorPipe()
            defer { standardError.remove() }
            var telemetry: Oriel.Telemetry? = try StandardErrorTests.console()
            let logger = StandardErrorTests.logger(telemetry!)
            logger.info("the last order")
            await telemetry?.shutdown(timeout: .seconds(60))
            logger.error("could not end: \("no way")", metadata: ["code": "\(7)"])
            let lines = standardError.take().split(separator: "\n")
            #expect(lines.count == 2, "\(lines)")
            #expect(lines.last?.contains(#""message":"could not end: no way","logger":"shop","attributes":{"code":"7"}"#) == true, "\(lines)")
            telemetry = nil
            logger.critical("it is gone")
            #expect(standardError.take().contains("it is gone"))
        }
    }

    @Test func linesAfterTheEndWaitForNobodyWhoDoesNotRead() async {
        await #expect(processExitsWith: .success) {
            let standardError = StandardErrorPipe()
            defer { standardError.remove() }
            let telemetry = try StandardErrorTests.console()
            let logger = StandardErrorTests.logger(telemetry)
            await telemetry.shutdown(timeout: .seconds(60))
            standardError.fill()
            let start = ContinuousClock.now
            for _ in 0..<1000 { logger.info("nobody sees this") }
            #expect(start.duration(to: .now) < .seconds(30))
            _ = standardError.take()
            logger.info("somebody sees this")
            #expect(standardError.take().contains("somebody sees this"))
            standardError.closeReadEnd()
            logger.info("nobody ever sees this")
        }
    }
}

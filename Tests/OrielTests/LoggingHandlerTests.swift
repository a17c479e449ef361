import Logging
import OrielClient
import OrielTelemetry
import Synchronization
import Testing
import Tracing

@testable import Oriel

@Suite struct LoggingHandlerTests {
    private let capture: LoggingCapture

    init() throws {
        capture = try LoggingCapture()
    }

    @Test func aLineBecomesARecord() throws {
        let before = Timestamp.now.nanoseconds
        capture.logger("shop.orders").notice("order placed", metadata: ["user": "u1"])
        let after = Timestamp.now.nanoseconds
        let record = try #require(try capture.record())
        #expect(record.scope == "shop.orders")
        #expect((before...after).contains(record.time))
        #expect(record.observedTime == record.time)
        #expect(record.severity == 10)
        #expect(record.level == "NOTICE")
        #expect(record.body == "order placed")
        #expect(record.attributes == ["user": "u1"])
        #expect(record.traceID.isZero && record.spanID == 0 && record.flags == 0)
    }

    @Test func everyLevelHasItsSeverity() throws {
        let logger = capture.logger()
        for level in Logging.Logger.Level.allCases { logger.log(level: level, "x") }
        let records = try capture.records()
        #expect(records.map(\.severity) == [1, 5, 9, 10, 13, 17, 21])
        #expect(records.map(\.level) == ["TRACE", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"])
    }

    @Test func linesBelowTheLevelAreDropped() throws {
        var logger = capture.logger(level: .warning)
        logger.info("no")
        logger.warning("yes")
        logger.logLevel = .debug
        logger.debug("now")
        #expect(try capture.records().map(\.body) == ["yes", "now"])
    }

    @Test func theSpanOfTheTaskIsInTheRecord() throws {
        let trace = TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)
        var context = ServiceContext.topLevel
        context.spanContextReference = SpanContextReference(Oriel.SpanContext(traceID: trace, spanID: SpanID(rawValue: 0xA1), flags: 3))
        ServiceContext.withValue(context) { capture.logger().info("inside") }
        let record = try #require(try capture.record())
        #expect(record.traceID == trace)
        #expect(record.spanID == 0xA1)
        #expect(record.flags == 3)
    }

    @Test func metadataOfTheEventCountsMoreThanThatOfTheProviderAndTheHandler() throws {
        let provider = Logging.Logger.MetadataProvider { ["a": "provider", "b": "provider", "d": "provider"] }
        var logger = capture.logger(metadata: ["a": "handler", "b": "handler", "c": "handler"], provider: provider)
        logger[metadataKey: "e"] = "set"
        logger.info("x", metadata: ["a": "event"])
        let record = try #require(try capture.record())
        #expect(record.attributes == ["a": "event", "b": "provider", "c": "handler", "d": "provider", "e": "set"])
        #expect(logger[metadataKey: "c"] == "handler")
    }

    @Test func anErrorIsAnException() throws {
        struct PaymentError: Error, CustomStringConvertible { var description: String { "card refused" } }
        capture.logger().error("failed", error: PaymentError())
        capture.logger().error("failed", error: PaymentError(), metadata: ["exception.message": "own"])
        let records = try capture.records()
        #expect(records.map { $0.attributes["exception.message"] } == ["card refused", "own"])
        guard case .string(let type)? = records[0].attributes["exception.type"] else { throw Missing() }
        #expect(type.hasPrefix("OrielTests.LoggingHandlerTests.") && type.hasSuffix("PaymentError"))
    }

    @Test func thePlaceInTheCodeIsWrittenOnlyWhenAsked() throws {
        var options = Oriel.LogOptions()
        capture.logger(options: options).info("x")
        options.includesCode = true
        capture.logger(options: options).info("y", file: "Shop/Orders.swift", function: "place()", line: 7)
        capture.logger(options: options).info("z", source: "Ledger", file: "Shop/Orders.swift", function: "place()", line: 7)
        let records = try capture.records()
        #expect(records[0].attributes.isEmpty)
        #expect(
            records[1].attributes == ["code.file.path": "Shop/Orders.swift", "code.line.number": 7, "code.function.name": "place()"])
        #expect(records[2].attributes["log.source"] == "Ledger" && records[2].attributes.count == 4)
    }

    @Test func aLineGoesToAllQueuesAndItsValuesAreDescribedOnce() throws {
        final class Counted: CustomStringConvertible, Sendable {
            let calls = Mutex(0)
            var description: String {
                calls.withLock { $0 += 1 }
                return "value"
            }
        }
        let other = try LoggingCapture()
        let value = Counted()
        let logger = Logging.Logger(label: "both") { Oriel.LogHandler(label: $0, queues: [capture.pipeline.logs, other.pipeline.logs]) }
        logger.info("x", metadata: ["v": .stringConvertible(value)])
        for capture in [capture, other] {
            let record = try #require(try capture.record())
            #expect(record.scope == "both")
            #expect(record.attributes == ["v": "value"])
        }
        #expect(value.calls.withLock { $0 } == 1)
    }

    @Test func aDescriptionMayLog() throws {
        struct Chatty: CustomStringConvertible {
            let logger: Logging.Logger
            var description: String {
                logger.info("from the description")
                return "chatty"
            }
        }
        let logger = capture.logger()
        logger.info("outer", metadata: ["v": .stringConvertible(Chatty(logger: logger))])
        #expect(try capture.records().map(\.body) == ["from the description", "outer"])
    }

    @Test func aProviderMayLog() throws {
        let inner = capture.logger("inner")
        let provider = Logging.Logger.MetadataProvider {
            inner.info("from the provider")
            return ["a": 1.description.isEmpty ? "" : "1"]
        }
        capture.logger(provider: provider).info("outer")
        #expect(try Set(capture.records().map(\.scope)) == ["inner", "shop"])
    }

    @Test func aLabelBeyondThoseThatAreKeptIsAnAttribute() throws {
        for number in 0..<4095 { capture.logger("label \(number)").trace("x") }
        capture.logger("one more").info("y")
        capture.logger("label 4094").info("z")
        let records = try capture.records()
        let more = try #require(records.first { $0.body == "y" })
        #expect(more.scope == "" && more.attributes == ["otel.scope.name": "one more"])
        let known = try #require(records.first { $0.body == "z" })
        #expect(known.scope == "label 4094" && known.attributes.isEmpty)
        #expect(capture.pipeline.statistics.namelessScopes == 1)
    }

    @Test func withoutQueuesNothingHappens() {
        Logging.Logger(label: "x") { Oriel.LogHandler(label: $0, queues: []) }.critical("nobody hears it")
    }

    @Test func manyThreadsLoseNoLine() async throws {
        let logger = capture.logger()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask { for line in 0..<500 { logger.info("x", metadata: ["task": .stringConvertible(task), "line": .stringConvertible(line)]) } }
            }
        }
        let seen = Set(try capture.records().map { "\($0.attributes["task"] ?? .empty) \($0.attributes["line"] ?? .empty)" })
        #expect(seen.count == 4000)
    }

    private struct Missing: Error {}
}

import Logging
import OrielTelemetry
import Tracing

/// What the shop's scenarios are played on, one request or event at a time: the past on made-up clocks, the present by services that run.
///
/// All but ``span(_:_:_:_:causes:_:)`` and ``invocation(_:messages:isCold:_:)`` concerns the innermost span that is open.
protocol DemoStage {
    /// The headers of a request or a message, with what tells its receiver which span sent it.
    typealias Headers = [String: String]

    /// Does something within a span of a service.
    ///
    /// - Parameter causes: messages of other traces that caused it.
    mutating func span<Answer>(
        _ service: DemoService, _ name: String, _ kind: SpanKind, _ attributes: [Attribute], causes: [Headers], _ body: (inout Self) async -> Answer
    ) async -> Answer

    /// Calls the shop's function with a batch of messages.
    mutating func invocation(_ requestID: String, messages: [Headers], isCold: Bool, _ body: (inout Self) async -> Void) async

    /// Lets time pass, from half to one and a half of so many milliseconds.
    mutating func work(_ milliseconds: Double) async

    /// Lets exactly so many milliseconds pass, as a timeout does.
    mutating func wait(_ milliseconds: Double) async

    /// Adds an attribute to the span.
    mutating func set(_ key: String, _ value: AttributeValue)

    /// Marks the span as failed because something that it called was.
    mutating func fail(_ message: String)

    /// Marks the span as failed, with the error that did it.
    mutating func fail(_ failure: DemoFailure)

    /// Writes a log line.
    mutating func log(_ level: Logger.Level, _ message: String, _ attributes: [Attribute])

    /// Counts an order.
    mutating func countOrder(_ state: DemoOrderState)

    /// What a message carries that the span sends.
    var headers: Headers { get }
}

extension DemoStage {
    mutating func span<Answer>(
        _ service: DemoService, _ name: String, _ kind: SpanKind, _ attributes: [Attribute], _ body: (inout Self) async -> Answer
    ) async -> Answer {
        await span(service, name, kind, attributes, causes: [], body)
    }

    mutating func log(_ level: Logger.Level, _ message: String) { log(level, message, []) }
}

/// How an order ended.
enum DemoOrderState: String, CaseIterable, Sendable {
    case paid
    case cancelled
}

/// What goes wrong in the shop.
struct DemoFailure: Error, CustomStringConvertible {
    var type: String
    var description: String
    /// Where, as in a stack trace.
    var place: String

    var attributes: [Attribute] {
        [
            Attribute("exception.type", .string(type)), Attribute("exception.message", .string(description)),
            Attribute("exception.stacktrace", .string("\(type): \(description)\n    at \(place)\n    at handle (Server.swift:77)")),
        ]
    }
}

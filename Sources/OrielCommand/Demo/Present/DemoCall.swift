import Logging
import Oriel
import OrielTelemetry
import Tracing

/// One request or event on its way through the running shop. Services hand each other headers and nothing else, as over a network.
struct DemoCall: DemoStage {
    private let services: DemoServices
    /// The service that works at present; `nil` outside any.
    private let current: DemoTelemetry?
    /// `nil` where the client library made the span and keeps it.
    private let activeSpan: Oriel.Span?

    init(_ services: DemoServices) {
        self.init(services, nil, nil)
    }

    private init(_ services: DemoServices, _ current: DemoTelemetry?, _ activeSpan: Oriel.Span?) {
        self.services = services
        self.current = current
        self.activeSpan = activeSpan
    }

    func span<Answer>(
        _ service: DemoService, _ name: String, _ kind: SpanKind, _ attributes: [Attribute], causes: [Headers], _ body: (inout DemoCall) async -> Answer
    ) async -> Answer {
        var target = services[service]
        var context = ServiceContext.topLevel
        if let current, current.service == service {
            // Of a function the instance that works, not any.
            target = current
            context = ServiceContext.current ?? context
        } else if let current {
            context = target.context(of: current.headers)
        }
        let receiver = target
        return await receiver.telemetry.tracer.withSpan(name, context: context, ofKind: kind) { span in
            span.updateAttributes { for attribute in attributes { $0.set(attribute.key, value: SpanAttribute(attribute.value)) } }
            for cause in causes { span.addLink(SpanLink(context: receiver.context(of: cause), attributes: [:])) }
            let start = ContinuousClock.now
            var inner = DemoCall(services, receiver, span)
            let answer = await body(&inner)
            // Within the span, so that it may become an exemplar.
            if kind == .server { receiver.recordRequest(span.attributes, took: start.duration(to: .now)) }
            return answer
        }
    }

    func invocation(_ requestID: String, messages: [Headers], isCold: Bool, _ body: (inout DemoCall) async -> Void) async {
        let sandbox = await services.function.sandbox(isNew: isCold)
        let invocation = Oriel.Invocation(
            requestID: requestID, functionARN: DemoFunction.resourceName, deadline: Oriel.Timestamp.now.advanced(by: DemoFunction.timeout))
        await ServiceContext.withValue(sandbox.context(of: headers)) {
            await sandbox.telemetry.invocation(invocation, carriers: messages.map { Oriel.Carrier($0) }) {
                var inner = DemoCall(services, sandbox, nil)
                await body(&inner)
            }
        }
    }

    func work(_ milliseconds: Double) async { await wait(milliseconds * Double.random(in: 0.5..<1.5)) }

    func wait(_ milliseconds: Double) async {
        do {
            try await Task.sleep(for: .microseconds(milliseconds * 1000))
        } catch {
            // A demo that is cancelled waits for nobody.
        }
    }

    func set(_ key: String, _ value: AttributeValue) {
        activeSpan?.updateAttributes { $0.set(key, value: SpanAttribute(value)) }
    }

    func fail(_ message: String) {
        activeSpan?.setStatus(SpanStatus(code: .error, message: message))
    }

    func fail(_ failure: DemoFailure) {
        var attributes = SpanAttributes()
        for attribute in failure.attributes { attributes.set(attribute.key, value: SpanAttribute(attribute.value)) }
        activeSpan?.recordError(failure, attributes: attributes)
        fail(failure.description)
    }

    func log(_ level: Logger.Level, _ message: String, _ attributes: [Attribute]) {
        let metadata = Logger.Metadata(attributes.map { ($0.key, Logger.MetadataValue($0.value)) }) { _, last in last }
        current?.logger.log(level: level, "\(message)", metadata: metadata)
    }

    func countOrder(_ state: DemoOrderState) { current?.countOrders(state) }

    var headers: Headers { current?.headers ?? [:] }
}

extension DemoTelemetry {
    /// Records a request that was answered.
    fileprivate func recordRequest(_ attributes: SpanAttributes, took duration: Duration) {
        let labels = DemoMetric.requestLabels.compactMap { key in attributes.get(key).map { (key, $0.labelText) } }
        let (seconds, attoseconds) = duration.components
        recordRequest(labels, nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

extension SpanAttribute {
    fileprivate init?(_ value: AttributeValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .bool(let flag): self = .bool(flag)
        case .int(let integer): self = .int64(integer)
        case .double(let double): self = .double(double)
        case .empty, .array, .map, .bytes: return nil
        }
    }

    fileprivate var labelText: String {
        switch self {
        case .string(let text): text
        case .int64(let integer): "\(integer)"
        default: ""
        }
    }
}

extension Logger.MetadataValue {
    fileprivate init(_ value: AttributeValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .bool(let flag): self = .stringConvertible(flag)
        case .int(let integer): self = .stringConvertible(integer)
        case .double(let double): self = .stringConvertible(double)
        case .empty, .array, .map, .bytes: self = .string("")
        }
    }
}

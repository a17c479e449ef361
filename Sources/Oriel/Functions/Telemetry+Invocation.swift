import OrielTelemetry
import Tracing

extension Oriel.Telemetry {
    /// Runs the body of one function invocation in a span of its own, and sends what it made before the sandbox can freeze.
    ///
    /// ```swift
    /// let invocation = Oriel.Invocation(requestID: context.requestID, functionARN: context.invokedFunctionARN, deadlineMilliseconds: deadline, traceHeader: context.traceID)
    /// return try await telemetry.invocation(invocation, trigger: .http, carriers: [Oriel.Carrier(event.headers)]) {
    ///     try await handle(event)
    /// }
    /// ```
    ///
    /// The carrier of a request (the headers of an HTTP event) names the parent. Those of messages become links, since none of them is the parent of the whole: all of an invocation
    /// whose trigger is ``Oriel/FunctionTrigger/pubsub`` or ``Oriel/FunctionTrigger/datasource``, be it one or many; without such a trigger several are links and one is the parent. The platform's own trace
    /// is the parent when no carrier names one and the platform samples it, else a link.
    ///
    /// Sending ends 500 ms after the body, and 50 ms before the platform's deadline, whichever comes first; an error of the body is thrown afterwards. What was not sent
    /// waits for the next invocation of this sandbox, or lies in the spill folder if there is one.
    ///
    /// - Parameters:
    ///   - trigger: what called the function, if it is known: the span's `faas.trigger`, and whether one carrier alone is the parent.
    ///   - carriers: where the contexts of callers may be found.
    ///   - name: of the span; the function's name if not given.
    ///   - body: may make spans, log and record metrics; what it makes is below the invocation's span.
    public func invocation<Value, Failure: Error>(
        _ invocation: Oriel.Invocation, trigger: Oriel.FunctionTrigger? = nil, carriers: [Oriel.Carrier] = [], name: String? = nil,
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        // A sandbox that was restored from a snapshot would draw the ids that its siblings draw.
        reseed()
        resumeDelivery()
        let isColdStart = functions.beginInvocation()
        let isBatch = carriers.count > 1 || trigger?.isBatch ?? false
        let origin = origin(of: invocation, carriers, isBatch: isBatch)
        let span = tracer.startSpan(
            name ?? functions.name(invocation), context: origin.context, ofKind: isBatch ? .consumer : .server, at: DefaultTracerClock.now,
            function: #function, file: #fileID, line: #line)
        for link in origin.links { span.addLink(SpanLink(context: link, attributes: [:])) }
        span.updateAttributes { attributes in
            attributes["faas.invocation_id"] = invocation.requestID
            attributes["faas.coldstart"] = isColdStart
            if let trigger { attributes["faas.trigger"] = trigger.rawValue }
            if !invocation.functionARN.isEmpty { attributes["cloud.resource_id"] = invocation.functionARN }
        }
        let started = ContinuousClock.now
        let result: Result<Value, Failure> = await ServiceContext.withValue(span.context) { () async -> Result<Value, Failure> in
            do throws(Failure) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        if case .failure(let error) = result {
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error))
        }
        span.end()
        functions.endInvocation(result, after: started.duration(to: .now))
        await flush(deadline: invocation.flushDeadline(now: .now))
        return try result.get()
    }

    /// What came before an invocation: the context to begin in, and what is linked.
    private func origin(of invocation: Oriel.Invocation, _ carriers: [Oriel.Carrier], isBatch: Bool) -> (context: ServiceContext, links: [ServiceContext]) {
        var context = ServiceContext.current ?? .topLevel
        var links: [ServiceContext] = []
        for carrier in carriers {
            if !isBatch {
                tracer.extract(carrier, into: &context, using: CarrierExtractor())
                continue
            }
            var linked = ServiceContext.topLevel
            tracer.extract(carrier, into: &linked, using: CarrierExtractor())
            if linked.spanContext != nil { links.append(linked) }
        }
        guard let header = invocation.traceHeader, let platform = XRayHeader.read(header) else { return (context, links) }
        if context.spanContext == nil, links.isEmpty, platform.isSampled {
            context.spanContextReference = SpanContextReference(platform)
        } else {
            var linked = ServiceContext.topLevel
            linked.spanContextReference = SpanContextReference(platform)
            links.append(linked)
        }
        return (context, links)
    }
}

/// Reads the fields of a carrier.
private struct CarrierExtractor: Extractor {
    func extract(key: String, from carrier: Oriel.Carrier) -> String? { carrier[key] }
}

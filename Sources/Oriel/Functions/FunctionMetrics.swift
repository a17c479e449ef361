import OrielClient
import Synchronization

/// What OpenTelemetry's conventions count of functions: invocations, cold starts, errors, durations. They are there from the first invocation on: a service has none of them.
final class FunctionMetrics: Sendable {
    private struct Instruments {
        let invocations: Counter
        let coldStarts: Counter
        let errors: Counter
        let durations: Histogram

        init(_ registry: MetricRegistry) {
            invocations = registry.counter("faas.invocations", help: "Invocations that ended without an error.", unit: "{invocation}")
            coldStarts = registry.counter("faas.coldstarts", help: "Invocations that were the first of their sandbox.", unit: "{coldstart}")
            errors = registry.counter("faas.errors", help: "Invocations that ended with an error.", unit: "{error}")
            durations = registry.histogram("faas.invoke_duration", help: "How long invocations took.", unit: "s", buckets: .seconds)
        }
    }

    private let registry: MetricRegistry
    private let functionName: String?
    private let known = Mutex<Instruments?>(nil)
    private let hasBegun = Atomic<Bool>(false)

    /// - Parameter functionName: of the platform's environment.
    init(registry: MetricRegistry, functionName: String?) {
        self.registry = registry
        self.functionName = functionName
    }

    private var instruments: Instruments {
        known.withLock { known in
            if let known { return known }
            let instruments = Instruments(registry)
            known = instruments
            return instruments
        }
    }

    /// - Returns: whether it is the first of this process.
    func beginInvocation() -> Bool {
        let isFirst = !hasBegun.exchange(true, ordering: .relaxed)
        if isFirst { instruments.coldStarts.increment() }
        return isFirst
    }

    func endInvocation<Value, Failure: Error>(_ result: Result<Value, Failure>, after duration: Duration) {
        let instruments = instruments
        switch result {
        case .success: instruments.invocations.increment()
        case .failure: instruments.errors.increment()
        }
        let (seconds, attoseconds) = duration.components
        instruments.durations.record(Double(seconds) + Double(attoseconds) / 1e18)
    }

    /// What the span of an invocation is called.
    func name(_ invocation: Oriel.Invocation) -> String {
        if let functionName { return functionName }
        // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:VERSION]
        let parts = invocation.functionARN.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count > 6 ? String(parts[6]) : "invocation"
    }
}

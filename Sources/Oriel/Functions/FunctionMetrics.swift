import OrielClient
import Synchronization

/// What OpenTelemetry's conventions count of functions: invocations, cold starts, errors, durations.
final class FunctionMetrics: Sendable {
    private let functionName: String?
    private let invocations: Counter
    private let coldStarts: Counter
    private let errors: Counter
    private let durations: Histogram
    private let hasBegun = Atomic<Bool>(false)

    /// - Parameter functionName: of the platform's environment.
    init(registry: MetricRegistry, functionName: String?) {
        self.functionName = functionName
        invocations = registry.counter("faas_invocations", help: "Invocations that ended without an error.", unit: "{invocation}")
        coldStarts = registry.counter("faas_coldstarts", help: "Invocations that were the first of their sandbox.", unit: "{coldstart}")
        errors = registry.counter("faas_errors", help: "Invocations that ended with an error.", unit: "{error}")
        durations = registry.histogram("faas_invoke_duration", help: "How long invocations took.", unit: "s", buckets: .seconds)
    }

    /// - Returns: whether it is the first of this process.
    func beginInvocation() -> Bool {
        let isFirst = !hasBegun.exchange(true, ordering: .relaxed)
        if isFirst { coldStarts.increment() }
        return isFirst
    }

    func endInvocation<Value, Failure: Error>(_ result: Result<Value, Failure>, after duration: Duration) {
        switch result {
        case .success: invocations.increment()
        case .failure: errors.increment()
        }
        let (seconds, attoseconds) = duration.components
        durations.record(Double(seconds) + Double(attoseconds) / 1e18)
    }

    /// What the span of an invocation is called.
    func name(_ invocation: Oriel.Invocation) -> String {
        if let functionName { return functionName }
        // arn:aws:lambda:REGION:ACCOUNT:function:NAME[:VERSION]
        let parts = invocation.functionARN.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count > 6 ? String(parts[6]) : "invocation"
    }
}

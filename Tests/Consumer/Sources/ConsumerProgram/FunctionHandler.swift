import Oriel

/// What an adapter for a Lambda runtime is given, as `Functions.md` shows it.
struct FunctionContext: Sendable {
    var requestID: String
    var deadlineMilliseconds: Int64
}

extension Oriel.Telemetry {
    nonisolated(nonsending) func invocation<Value>(
        _ context: FunctionContext, _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        let invocation = Oriel.Invocation(requestID: context.requestID, deadlineMilliseconds: context.deadlineMilliseconds)
        return try await self.invocation(invocation, body)
    }
}

/// A handler with state of its own, which its body uses: this module is built without the upcoming features that the library has.
actor FunctionHandler {
    private let telemetry: Oriel.Telemetry
    private var handled = 0

    init(_ telemetry: Oriel.Telemetry) {
        self.telemetry = telemetry
    }

    func handle(_ context: FunctionContext) async throws -> Int {
        try await telemetry.invocation(context) {
            handled += 1
            return handled
        }
    }
}

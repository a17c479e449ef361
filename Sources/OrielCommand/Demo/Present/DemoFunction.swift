/// The function of the shop: one sandbox at a time, which is thrown away now and then.
///
/// What each sandbox counts is sent as what was added, so that all of them add up in one series.
actor DemoFunction {
    static let resourceName = "arn:aws:lambda:eu-central-1:123456789012:function:receipt-function"
    /// The longest that an invocation may take, in nanoseconds.
    static let timeout: Int64 = 30_000_000_000

    private let endpoint: LoadEndpoint
    private(set) var sandbox: DemoTelemetry
    private var instance = DemoService.receipts.rawValue
    private var isUsed = false

    init(first: DemoTelemetry, endpoint: LoadEndpoint) {
        sandbox = first
        self.endpoint = endpoint
    }

    /// Where the next invocation runs.
    ///
    /// - Parameter isNew: whether it has to be one that has run nothing yet.
    func sandbox(isNew: Bool) async -> DemoTelemetry {
        if isNew, isUsed {
            await sandbox.shutdown()
            do throws(LoadError) {
                let next = try DemoTelemetry(.receipts, endpoint: endpoint, instance: instance + 1)
                sandbox = next
                instance += 1
            } catch {
                // The function goes on without telemetry, as it would anywhere.
                StandardError.write("oriel: \(error)\n")
            }
        }
        isUsed = true
        return sandbox
    }
}

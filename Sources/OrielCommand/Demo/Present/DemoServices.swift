/// All services of the running shop.
struct DemoServices: Sendable {
    /// In the order of their raw values.
    private let services: [DemoTelemetry]
    let function: DemoFunction

    /// - Throws: ``LoadError`` when the system has no threads to give.
    init(endpoint: LoadEndpoint) throws(LoadError) {
        var services: [DemoTelemetry] = []
        for service in DemoService.allCases { services.append(try DemoTelemetry(service, endpoint: endpoint)) }
        self.services = services
        function = DemoFunction(first: services[DemoService.receipts.rawValue], endpoint: endpoint)
    }

    /// Of the function its first sandbox.
    subscript(service: DemoService) -> DemoTelemetry { services[service.rawValue] }

    /// All that run now.
    var running: [DemoTelemetry] {
        get async { services.filter { $0.service != .receipts } + [await function.sandbox] }
    }

    /// Ends all of them, at the same time.
    func shutdown() async {
        await withDiscardingTaskGroup { group in
            for service in await running { group.addTask { await service.shutdown() } }
        }
    }
}

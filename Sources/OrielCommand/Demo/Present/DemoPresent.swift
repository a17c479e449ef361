import OrielTelemetry
import ServiceLifecycle
import Synchronization

/// The running shop: customers are tasks, and what they do is observed by the client library.
final class DemoPresent: Sendable {
    let services: DemoServices
    let queue: DemoQueue
    private let customers: Mutex<DemoCustomers>
    private let memory: Mutex<DemoMemory>

    /// How long the shop is empty between two customers, in milliseconds.
    private static let arrivals = 0...1300
    /// How often events are delivered.
    private static let deliveryInterval: Duration = .seconds(2)

    /// - Throws: ``LoadError`` when the system has no threads to give.
    init(endpoint: LoadEndpoint, after past: DemoPast) throws(LoadError) {
        services = try DemoServices(endpoint: endpoint)
        queue = DemoQueue(past.events)
        customers = Mutex(past.customers)
        memory = Mutex(past.metrics.memory)
        carryOn(past.metrics)
    }

    /// Counts all that was counted in the past, so that no series begins anew. The function's need none of it: only what is added to them is sent.
    private func carryOn(_ metrics: DemoPastMetrics) {
        for (series, durations) in metrics.durations {
            let labels = DemoMetric.requestLabels.compactMap { key in series.labels.first { $0.key == key }.map { (key, $0.value.labelText) } }
            for duration in durations { services[series.service].recordRequest(labels, nanoseconds: duration) }
        }
        for (state, count) in metrics.orders { services[.orders].countOrders(state, count) }
        for service in DemoService.allCases where service != .receipts { setMemory(services[service]) }
        services[.orders].setQueueDepth(queue.count)
    }

    private func setMemory(_ service: DemoTelemetry) {
        service.setMemory(memory.withLock { $0.next(service.service) })
    }

    // MARK: Running

    /// Runs until the time is over or the demo is told to end; who is in the shop then is served to the end.
    func run(until end: ContinuousClock.Instant?) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.deliver(until: end) }
            group.addTask { await self.measure(until: end) }
            while await pause(.milliseconds(Int.random(in: Self.arrivals)), until: end) {
                group.addTask { await self.visit(self.customers.withLock { $0.visit() }) }
            }
        }
    }

    /// Serves a customer.
    func visit(_ visit: DemoCustomers.Visit) async {
        var call = DemoCall(services)
        switch visit {
        case .browsing(let browsing): await browsing.play(on: &call)
        case .checkout(let checkout):
            if let headers = await checkout.play(on: &call) { queue.add(DemoReceipts.Event(order: checkout.order, headers: headers)) }
        }
    }

    /// Delivers a batch of the events that wait, if there are enough of them.
    ///
    /// - Parameter isCold: whether the function has to start for it; `nil` leaves it to chance.
    /// - Returns: whether there were.
    @discardableResult
    func deliverBatch(isCold: Bool? = nil) async -> Bool {
        let events = queue.take()
        guard !events.isEmpty else { return false }
        let receipts = customers.withLock { $0.receipts(of: events, isCold: isCold) }
        var call = DemoCall(services)
        await receipts.play(on: &call)
        return true
    }

    private func deliver(until end: ContinuousClock.Instant?) async {
        var isFirst = true
        while await pause(Self.deliveryInterval, until: end) {
            if await deliverBatch(isCold: isFirst ? true : nil) { isFirst = false }
        }
    }

    /// Sets what is no sum.
    private func measure(until end: ContinuousClock.Instant?) async {
        repeat {
            services[.orders].setQueueDepth(queue.count)
            for service in await services.running { setMemory(service) }
        } while await pause(.seconds(1), until: end)
    }

    /// Waits.
    ///
    /// - Returns: whether the shop is still open afterwards.
    private func pause(_ duration: Duration, until end: ContinuousClock.Instant?) async -> Bool {
        let wake = ContinuousClock.now + duration
        do {
            try await cancelWhenGracefulShutdown { try await Task.sleep(until: min(wake, end ?? wake), clock: .continuous) }
        } catch {
            return false
        }
        return !Task.isShuttingDownGracefully && !Task.isCancelled && (end.map { wake < $0 } ?? true)
    }
}

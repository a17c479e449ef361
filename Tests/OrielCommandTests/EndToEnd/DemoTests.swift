import Foundation
import Oriel
import OrielClient
import OrielTelemetry
import Testing

@testable import OrielCommand

/// The shop of `oriel demo`, observed by the client library and sent to a daemon.
@Suite(.serialized) final class DemoTests {
    private let place: ProgramHome
    private let now = Timestamp.now

    init() throws { place = try ProgramHome("demo") }

    private struct Trace: Decodable {
        var spans: [SpanWithLinks]
    }

    private struct SpanWithLinks: Decodable {
        struct Link: Decodable {
            var traceID: String

            enum CodingKeys: String, CodingKey {
                case traceID = "trace_id"
            }
        }

        var spanID: String
        var parentSpanID: String?
        var service: String
        var name: String
        var kind: String
        var links: [Link]
        var attributes: [AttributeRow]
        var resource: Resource

        enum CodingKeys: String, CodingKey {
            case spanID = "span_id"
            case parentSpanID = "parent_span_id"
            case service, name, kind, links, attributes, resource
        }
    }

    private struct Resource: Decodable {
        var attributes: [AttributeRow]
    }

    /// What a command prints as JSON, an object a line.
    private func rows<Row: Decodable>(_ type: Row.Type, _ arguments: String..., isSinceStart: Bool = true) throws -> [Row] {
        let range = isSinceStart ? ["--since", "\(now.milliseconds)"] : []
        let outcome = try BuiltProgram.run(arguments + ["--data", place.data, "--output", "json"] + range, home: place.url)
        #expect(outcome.status == 0, "\(arguments): \(outcome)")
        return try outcome.output.split(separator: "\n").map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
    }

    /// A shop that has a past, before a daemon.
    private func openShop() async throws -> (server: RunningProgram, past: DemoPast, shop: DemoPresent) {
        let server = try await place.serve()
        let endpoint = LoadEndpoint(host: "127.0.0.1", port: try #require(try server.port()))
        var past = DemoPast(exporter: DemoExporter(endpoint: endpoint), seed: 11, now: now)
        var seconds: Int64 = 0
        try await past.send(until: now) { seconds += $0 }
        #expect(seconds == DemoPast.length && past.failedCheckout != nil)
        return (server, past, try DemoPresent(endpoint: endpoint, after: past))
    }

    @Test func allServicesAreObserved() async throws {
        let (server, past, shop) = try await openShop()
        var customers = DemoCustomers(seed: 12)
        await shop.visit(.browsing(customers.browsing()))
        await shop.visit(.checkout(customers.checkout(fails: false)))
        await shop.visit(.checkout(customers.checkout(fails: false)))
        await shop.visit(.checkout(customers.checkout(fails: true)))
        #expect(shop.queue.count == past.events.count + 2)
        #expect(await shop.deliverBatch(isCold: true))
        #expect(await !shop.deliverBatch())
        // The shop is closed at once, after it has measured what is no sum.
        await shop.run(until: .now)
        await shop.services.shutdown()
        for service in DemoService.allCases where service != .receipts {
            #expect(shop.services[service].telemetry.statistics?.signals.values.allSatisfy { $0.droppedTotal == 0 } == true)
        }

        let traces = try rows(TraceSummaryAnswer.self, "traces")
        let checkouts = traces.filter { $0.rootName == "click checkout" }
        #expect(checkouts.count == 3 && checkouts.count { $0.errorCount > 0 } == 1)
        let ids = Set(traces.map(\.traceID))
        for service in DemoService.allCases {
            #expect(traces.contains { $0.services.contains(service.name) }, "no spans of \(service.name)")
            let logs = try rows(LogRow.self, "logs", "--service", service.name, "--severity", "debug")
            #expect(!logs.isEmpty && logs.allSatisfy { $0.spanID != nil && ids.contains($0.traceID ?? "") }, "\(service.name): \(logs)")
        }
        try checkReceipts(traces, checkouts: checkouts)
        try checkMetrics(after: past)
        #expect(server.terminate() == 0)
    }

    /// The function was called by the event source, which is another service, for what the checkouts published.
    private func checkReceipts(_ traces: [TraceSummaryAnswer], checkouts: [TraceSummaryAnswer]) throws {
        let deliveries = traces.filter { $0.rootName == "order.paid deliver" }
        #expect(deliveries.count == 1)
        let id = try #require(deliveries.first).traceID
        let spans = try #require(try rows(Trace.self, "trace", id, isSinceStart: false).first).spans
        let delivery = try #require(spans.first { $0.service == DemoService.events.name })
        let function = try #require(spans.first { $0.name == DemoService.receipts.name })
        #expect(function.kind == "consumer" && function.parentSpanID == delivery.spanID)
        let causes = Set(function.links.map(\.traceID))
        #expect(causes == Set(delivery.links.map(\.traceID)))
        #expect(causes.isSuperset(of: checkouts.filter { $0.errorCount == 0 }.map(\.traceID)))
        let keys = Set(function.attributes.map(\.key))
        #expect(keys.isSuperset(of: ["faas.coldstart", "faas.invocation_id", "cloud.resource_id"]))
        #expect(spans.contains { $0.service == DemoService.renderer.name && $0.parentSpanID == function.spanID })
        // What the past was said to be of, and what the client library says.
        for span in spans {
            let service = try #require(DemoService.allCases.first { $0.name == span.service })
            #expect(span.resource.attributes.map(\.key) == service.resource.attributes.map(\.key))
            #expect(span.resource.attributes.contains { $0.key == "telemetry.sdk.name" })
        }
    }

    /// Past and present are the same series, and no sum begins anew.
    private func checkMetrics(after past: DemoPast) throws {
        func series(_ name: String) throws -> [SeriesRow] { try rows(SeriesRow.self, "metrics", name, isSinceStart: false) }
        let memory = try series("process_memory_usage_bytes")
        #expect(Set(memory.compactMap { $0.labels["service_name"] }) == Set(DemoService.allCases.map(\.name)))
        #expect(memory.count == DemoService.allCases.count)
        let orders = try series("shop_orders_total")
        #expect(orders.count == 2)
        for state in DemoOrderState.allCases {
            let count = Double((past.metrics.orders[state] ?? 0) + (state == .paid ? 2 : 1))
            #expect(orders.first { $0.labels["order_state"] == state.rawValue }?.last?.number == count)
        }
        let invocations = try series("faas_invocations_total").filter { $0.labels["service_name"] == DemoService.receipts.name }
        let sums = try series("http_server_request_duration_seconds_sum") + orders + invocations
        #expect(invocations.count == 1 && sums.contains { $0.labels["http_response_status_code"] == "504" })
        for row in memory + sums { #expect(row.last.map { $0.time.value > now.nanoseconds } == true, "\(row.name)\(row.labelText) has no present") }
        for row in sums {
            let values = try #require(row.points).compactMap(\.number)
            #expect(values.count > 1 && values == values.sorted(), "\(row.name)\(row.labelText): \(values)")
        }
    }

    @Test func everySandboxOfTheFunctionCounts() async throws {
        let (server, _, shop) = try await openShop()
        func add() { for order in 1...2 { shop.queue.add(DemoReceipts.Event(order: order, headers: [:])) } }
        let before = try await invocations(in: shop)
        var instances: Set<String> = []
        for isCold in [true, true, false] {
            add()
            #expect(await shop.deliverBatch(isCold: isCold))
            instances.insert("\(await shop.services.function.sandbox.telemetry.resource["service.instance.id"] ?? .empty)")
        }
        #expect(instances.count == 2)
        await shop.services.shutdown()
        #expect(try await invocations(in: shop) == before + 3)
        #expect(server.terminate() == 0)
    }

    private func invocations(in shop: DemoPresent) async throws -> Double {
        let series = try rows(SeriesRow.self, "metrics", "faas_invocations_total", isSinceStart: false)
        return try #require(series.first { $0.labels["service_name"] == DemoService.receipts.name }?.last?.number)
    }

    @Test func anInterruptedDemoKeepsWhatItsServicesSaid() async throws {
        let demo = try BuiltProgram.start(["demo", "--keep", place.data], home: place.url)
        try await wait(for: "the demo to run") { try demo.output().contains("Ctrl-C ends the demo.") }
        let start = "\(Timestamp.now.milliseconds)"
        try await wait(for: "a customer") {
            try BuiltProgram.run(["traces", "--since", start, "--data", place.data], home: place.url).status == 0
        }
        #expect(demo.terminate() == 0)
        let shown = try demo.output()
        #expect(shown.contains("its data is in \(place.data)") && !shown.contains("oriel: "), "\(shown)")
        let metrics = try BuiltProgram.run(["metrics", "shop_orders_total", "--since", start, "--data", place.data], home: place.url)
        #expect(metrics.status == 0 && metrics.output.contains("paid"), "\(metrics)")
    }
}

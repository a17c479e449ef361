import Logging
import OrielTelemetry
import Tracing

/// A batch of paid orders becomes receipts: event source, function, rendering, storage.
struct DemoReceipts: Sendable {
    /// An event `order.paid`.
    struct Event: Sendable {
        var order: Int
        /// What the checkout published it with.
        var headers: [String: String]
    }

    /// The fewest events that are delivered together. With one alone the function would take it for its caller, with several for the causes that they are.
    static let batch = 2...10

    var requestID: String
    var events: [Event]
    /// Whether the function has to start for it.
    var isCold: Bool
    /// Orders whose receipt is not taken at the first attempt.
    var refused: Set<Int>

    func play(on stage: inout some DemoStage) async {
        let messages = events.map(\.headers)
        let attributes = [
            Attribute("messaging.system", "kafka"), Attribute("messaging.destination.name", "order.paid"),
            Attribute("messaging.batch.message_count", .int(Int64(events.count))),
        ]
        await stage.span(.events, "order.paid deliver", .producer, attributes, causes: messages) { stage in
            stage.log(.info, "delivering \(events.count) events", [Attribute("messaging.batch.message_count", .int(Int64(events.count)))])
            await stage.work(3)
            await stage.invocation(requestID, messages: messages, isCold: isCold) { stage in
                if isCold { await stage.span(.receipts, "cold start", .internal, []) { await $0.work(420) } }
                for event in events { await makeReceipt(of: event.order, on: &stage) }
            }
        }
    }

    private func makeReceipt(of order: Int, on stage: inout some DemoStage) async {
        let orderID = Attribute("order.id", .int(Int64(order)))
        stage.log(.info, "rendering receipt of order \(order)", [orderID])
        await stage.span(.renderer, "render receipt.pdf", .internal, [Attribute("pdf.pages", 1), orderID]) { stage in
            await stage.work(70)
            stage.log(.debug, "rendered 1 page", [orderID])
        }
        let isRefused = refused.contains(order)
        await stage.span(
            .receipts, "PutObject receipts", .client,
            [
                Attribute("rpc.system", "aws-api"), Attribute("rpc.method", "PutObject"), Attribute("aws.s3.bucket", "receipts"),
                Attribute("aws.s3.key", .string("orders/\(order).pdf")),
            ]
        ) { stage in
            await stage.work(25)
            if isRefused {
                stage.fail(DemoFailure(type: "SlowDown", description: "storage asks for fewer requests (503)", place: "putObject (Storage.swift:52)"))
                stage.log(.warning, "storage is busy, trying again in 200 ms")
            }
        }
        if isRefused {
            await stage.wait(200)
            let attributes = [Attribute("aws.s3.bucket", "receipts"), Attribute("retry", 1)]
            await stage.span(.receipts, "PutObject receipts", .client, attributes) { await $0.work(25) }
        }
        stage.log(.info, "receipt of order \(order) stored", [orderID])
    }
}

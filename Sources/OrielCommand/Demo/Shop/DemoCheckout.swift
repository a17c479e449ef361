import Logging
import OrielTelemetry
import Tracing

/// A customer orders; the bank often needs a second attempt, and sometimes a third one does not help.
struct DemoCheckout: Sendable {
    /// Attempts to pay, at most.
    static let attempts = 3

    var user: String
    var order: Int
    var total: Double
    /// How many attempts the bank does not answer.
    var bankFailures: Int

    private var orderID: Attribute { Attribute("order.id", .int(Int64(order))) }

    /// - Returns: what the event carries that a paid order is published with.
    func play<Stage: DemoStage>(on stage: inout Stage) async -> Stage.Headers? {
        await stage.span(.storefront, "click checkout", .internal, [Attribute("enduser.id", .string(user))]) { stage in
            var event: Stage.Headers?
            _ = await stage.request(from: .storefront, to: .gateway, "POST", "/checkout", path: "/checkout") { stage in
                stage.log(.info, "checkout of \(user)", [Attribute("enduser.id", .string(user))])
                return await stage.request(from: .gateway, to: .orders, "POST", "/orders", path: "/orders") { stage in
                    event = await place(on: &stage)
                    return event == nil ? 502 : 201
                }
            }
            return event
        }
    }

    private func place<Stage: DemoStage>(on stage: inout Stage) async -> Stage.Headers? {
        stage.set(orderID.key, orderID.value)
        stage.set("order.total", .double(total))
        stage.log(.info, "order \(order) placed", [orderID, Attribute("order.total", .double(total))])
        await stage.query(.orders, "INSERT", "orders", "INSERT INTO orders (id, user_id, total) VALUES ($1, $2, $3)", 9)
        let status = await stage.request(from: .orders, to: .payments, "POST", "/payments", path: "/payments") { await pay(on: &$0) }
        guard status == 200 else {
            stage.log(.error, "order \(order) cancelled: payment failed", [orderID])
            stage.countOrder(.cancelled)
            await stage.query(.orders, "UPDATE", "orders", "UPDATE orders SET state = 'cancelled' WHERE id = $1", 4)
            return nil
        }
        stage.countOrder(.paid)
        await stage.query(.orders, "UPDATE", "orders", "UPDATE orders SET state = 'paid' WHERE id = $1", 5)
        let attributes = [Attribute("messaging.system", "kafka"), Attribute("messaging.destination.name", "order.paid"), orderID]
        return await stage.span(.orders, "publish order.paid", .producer, attributes) { stage in
            await stage.work(2)
            return stage.headers
        }
    }

    /// Pays over the bank's interface.
    private func pay(on stage: inout some DemoStage) async -> Int {
        for attempt in 1...Self.attempts {
            let isDone = await charge(attempt, on: &stage)
            let attributes = [orderID, Attribute("attempt", .int(Int64(attempt)))]
            if isDone {
                stage.log(.info, "charged order \(order)", attributes)
                return 200
            }
            guard attempt < Self.attempts else {
                stage.log(.error, "giving up on order \(order) after \(attempt) attempts", attributes)
                break
            }
            stage.log(.warning, "bank did not answer, attempt \(attempt) of \(Self.attempts)", attributes)
            await stage.wait(Double(attempt) * 100)
        }
        return 504
    }

    private func charge(_ attempt: Int, on stage: inout some DemoStage) async -> Bool {
        await stage.span(
            .payments, "POST bank.example", .client,
            [
                Attribute("http.request.method", "POST"), Attribute("url.full", "https://bank.example/v2/charges"),
                Attribute("server.address", "bank.example"), Attribute("http.request.resend_count", .int(Int64(attempt - 1))),
            ]
        ) { stage in
            if attempt <= bankFailures {
                await stage.wait(400)
                stage.fail(DemoFailure(type: "TimeoutError", description: "no answer from bank.example within 400 ms", place: "charge (Bank.swift:88)"))
                return false
            }
            await stage.work(90)
            stage.set("http.response.status_code", 201)
            return true
        }
    }
}

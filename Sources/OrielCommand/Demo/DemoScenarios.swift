import OrielOTLP
import OrielTelemetry

/// What happens in the demo's shop: customers look at products and order, and orders become receipts.
///
///     storefront -> api-gateway -> catalog  -> database
///                              \-> orders   -> database
///                                         \-> payments -> bank (fails and is retried)
///     order-events -> receipt-function -> pdf-renderer -> storage
struct DemoScenarios {
    /// How a checkout ended.
    struct Checkout {
        var trace: DemoTrace
        var order: Int
        /// The span that published the order, when there is an order.
        var published: OTLPSpanLink?
    }

    var random: SeededRandom
    private var nextOrder = 48_213

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    /// A customer looks at products; in one of twelve requests the database is slow.
    mutating func browse() -> DemoTrace {
        var trace = DemoTrace(seed: random.next())
        let product = random.integer(1...900)
        let isSlow = random.chance(0.08)
        let isMissing = random.chance(0.03)
        let user = customer()
        _ = trace.span(.storefront, "click product", .internal, [Attribute("enduser.id", .string(user))]) { trace in
            request(&trace, from: .storefront, to: .gateway, "GET", "/products/{id}", path: "/products/\(product)") { trace in
                request(&trace, from: .gateway, to: .catalog, "GET", "/products/{id}", path: "/products/\(product)") { trace in
                    trace.work(2)
                    trace.log(.debug, "cache miss for product \(product)", [Attribute("product.id", .int(Int64(product)))])
                    query(&trace, .catalog, "SELECT", "products", "SELECT id, name, price, stock FROM products WHERE id = $1", isSlow ? 900 : 6)
                    if isSlow {
                        trace.log(
                            .warning, "slow query on products: a sequential scan instead of an index",
                            [Attribute("db.collection.name", "products"), Attribute("product.id", .int(Int64(product)))])
                    }
                    trace.work(1)
                    return isMissing ? 404 : 200
                }
            }
        }
        return trace
    }

    /// A customer orders; the bank often needs a second attempt, and sometimes a third one does not help.
    mutating func checkout(fails: Bool? = nil) -> Checkout {
        var trace = DemoTrace(seed: random.next())
        nextOrder += 1
        let order = nextOrder
        let failures = fails == true ? 3 : random.chance(0.06) ? 3 : random.chance(0.2) ? 1 : 0
        var published: OTLPSpanLink?
        let user = customer()
        let total = Double(random.integer(499...25_000)) / 100
        _ = trace.span(.storefront, "click checkout", .internal, [Attribute("enduser.id", .string(user))]) { trace in
            request(&trace, from: .storefront, to: .gateway, "POST", "/checkout", path: "/checkout") { trace in
                trace.log(.info, "checkout of \(user)", [Attribute("enduser.id", .string(user))])
                return request(&trace, from: .gateway, to: .orders, "POST", "/orders", path: "/orders") { trace in
                    trace.set("order.id", .int(Int64(order)))
                    trace.set("order.total", .double(total))
                    trace.log(.info, "order \(order) placed", [Attribute("order.id", .int(Int64(order))), Attribute("order.total", .double(total))])
                    query(&trace, .orders, "INSERT", "orders", "INSERT INTO orders (id, user_id, total) VALUES ($1, $2, $3)", 9)
                    let status = pay(&trace, order: order, failures: failures)
                    guard status == 200 else {
                        trace.log(.error, "order \(order) cancelled: payment failed", [Attribute("order.id", .int(Int64(order)))])
                        query(&trace, .orders, "UPDATE", "orders", "UPDATE orders SET state = 'cancelled' WHERE id = $1", 4)
                        return 502
                    }
                    query(&trace, .orders, "UPDATE", "orders", "UPDATE orders SET state = 'paid' WHERE id = $1", 5)
                    published = trace.span(
                        .orders, "publish order.paid", .producer,
                        [
                            Attribute("messaging.system", "kafka"), Attribute("messaging.destination.name", "order.paid"),
                            Attribute("order.id", .int(Int64(order))),
                        ]
                    ) { trace in
                        trace.work(2)
                        return trace.link
                    }
                    return 201
                }
            }
        }
        return Checkout(trace: trace, order: order, published: published)
    }

    /// A paid order becomes a receipt: event source, function, processing, storage.
    mutating func receipt(order: Int, cause: OTLPSpanLink?) -> DemoTrace {
        var trace = DemoTrace(seed: random.next())
        let isCold = random.chance(0.15)
        let storageFails = random.chance(0.05)
        trace.span(
            .events, "order.paid deliver", .producer,
            [Attribute("messaging.system", "kafka"), Attribute("messaging.destination.name", "order.paid")], link: cause
        ) { trace in
            trace.work(3)
            trace.span(
                .receipts, "receipt-function", .consumer,
                [
                    Attribute("faas.trigger", "pubsub"), Attribute("faas.coldstart", .bool(isCold)), Attribute("order.id", .int(Int64(order))),
                ]
            ) { trace in
                if isCold {
                    trace.event("cold start")
                    trace.work(420)
                }
                trace.log(.info, "rendering receipt of order \(order)", [Attribute("order.id", .int(Int64(order)))])
                trace.span(.renderer, "render receipt.pdf", .internal, [Attribute("pdf.pages", 1)]) { $0.work(70) }
                trace.span(
                    .receipts, "PutObject receipts", .client,
                    [
                        Attribute("rpc.system", "aws-api"), Attribute("rpc.method", "PutObject"), Attribute("aws.s3.bucket", "receipts"),
                        Attribute("aws.s3.key", .string("orders/\(order).pdf")),
                    ]
                ) { trace in
                    trace.work(25)
                    if storageFails {
                        trace.fail("SlowDown", "storage asks for fewer requests (503)", at: "putObject (storage.js:52:11)")
                        trace.log(.warning, "storage is busy, trying again in 200 ms")
                    }
                }
                if storageFails {
                    trace.wait(200)
                    trace.span(.receipts, "PutObject receipts", .client, [Attribute("aws.s3.bucket", "receipts"), Attribute("retry", 1)]) { $0.work(25) }
                }
                trace.log(.info, "receipt of order \(order) stored", [Attribute("order.id", .int(Int64(order)))])
            }
        }
        return trace
    }

    private mutating func customer() -> String {
        "user-\(10_000 + Int(random.fraction() * random.fraction() * 5_000))"
    }
}

/// A request from one service to another: the client's span, the server's within it.
///
/// - Parameter body: What the server does; it returns the HTTP status.
private func request(
    _ trace: inout DemoTrace, from client: DemoService, to server: DemoService, _ method: String, _ route: String, path: String,
    _ body: (inout DemoTrace) -> Int
) -> Int {
    trace.span(
        client, method, .client,
        [
            Attribute("http.request.method", .string(method)), Attribute("url.full", .string("http://\(server.name)\(path)")),
            Attribute("server.address", .string(server.name)), Attribute("server.port", 8080),
        ]
    ) { trace in
        trace.work(1)
        let status = trace.span(
            server, "\(method) \(route)", .server,
            [
                Attribute("http.request.method", .string(method)), Attribute("http.route", .string(route)), Attribute("url.path", .string(path)),
                Attribute("url.scheme", "http"),
            ]
        ) { trace in
            trace.work(1)
            let status = body(&trace)
            trace.work(1)
            trace.set("http.response.status_code", .int(Int64(status)))
            if status >= 500 { trace.fail("answered \(status)") }
            return status
        }
        trace.work(1)
        trace.set("http.response.status_code", .int(Int64(status)))
        if status >= 400 { trace.fail("answered \(status)") }
        return status
    }
}

private func query(_ trace: inout DemoTrace, _ service: DemoService, _ operation: String, _ table: String, _ text: String, _ milliseconds: Double) {
    trace.span(
        service, "\(operation) \(table)", .client,
        [
            Attribute("db.system.name", "postgresql"), Attribute("db.namespace", "shop"), Attribute("db.collection.name", .string(table)),
            Attribute("db.operation.name", .string(operation)), Attribute("db.query.text", .string(text)), Attribute("server.address", "database"),
        ]
    ) { $0.work(milliseconds) }
}

/// Pays over the bank's interface, three attempts at most.
private func pay(_ trace: inout DemoTrace, order: Int, failures: Int) -> Int {
    request(&trace, from: .orders, to: .payments, "POST", "/payments", path: "/payments") { trace in
        for attempt in 1...3 {
            let isDone = trace.span(
                .payments, "POST bank.example", .client,
                [
                    Attribute("http.request.method", "POST"), Attribute("url.full", "https://bank.example/v2/charges"),
                    Attribute("server.address", "bank.example"), Attribute("http.request.resend_count", .int(Int64(attempt - 1))),
                ]
            ) { trace in
                if attempt <= failures {
                    trace.wait(400)
                    trace.fail("TimeoutError", "no answer from bank.example within 400 ms", at: "charge (bank.py:88)")
                    return false
                }
                trace.work(90)
                trace.set("http.response.status_code", 201)
                return true
            }
            if isDone {
                trace.log(.info, "charged order \(order)", [Attribute("order.id", .int(Int64(order))), Attribute("attempt", .int(Int64(attempt)))])
                return 200
            }
            trace.log(
                attempt < 3 ? .warning : .error,
                attempt < 3 ? "bank did not answer, attempt \(attempt) of 3" : "giving up on order \(order) after 3 attempts",
                [Attribute("order.id", .int(Int64(order))), Attribute("attempt", .int(Int64(attempt)))])
            if attempt < 3 { trace.wait(Double(attempt) * 100) }
        }
        return 504
    }
}

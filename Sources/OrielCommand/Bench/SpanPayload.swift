import OrielTelemetry

/// Encodes trace requests of the shop: eight spans a trace, twelve attributes a span, three in a hundred traces failed.
struct SpanPayload {
    static let spansPerTrace = 8

    let shop: Shop
    var random: SeededRandom
    private var scopes: [PayloadTemplate]

    /// A request of so many traces.
    static func template(shop: Shop, traces: Int, seed: UInt64) -> PayloadTemplate {
        var payload = SpanPayload(shop: shop, seed: seed)
        for trace in 0..<traces { payload.add(trace) }
        return payload.request()
    }

    private init(shop: Shop, seed: UInt64) {
        self.shop = shop
        random = SeededRandom(seed: seed)
        scopes = Array(repeating: PayloadTemplate(), count: Shop.services.count * shop.pods)
    }

    private func request() -> PayloadTemplate {
        var request = PayloadTemplate()
        for (resource, spans) in zip(shop.resources, scopes) where spans.rows > 0 {
            var scope = PayloadTemplate()
            scope.constant { $0.scopeField(name: "io.opentelemetry.http", version: "1.9.2") }
            scope.append(spans)
            var group = PayloadTemplate()
            group.constant { $0.resourceField(resource) }
            group.message(2, scope)
            request.message(1, group)
        }
        return request
    }

    private struct Shape {
        var service: Int
        var pod: Int
        /// 2 server, 3 client, 4 producer.
        var kind: UInt64
        var parent: Int
        /// Microseconds after the start of the trace.
        var start: Int
        var duration: Int
        var failed = false
    }

    private mutating func add(_ trace: Int) {
        let route = random.pick(Shop.routes)
        let failed = random.chance(0.03)
        let total = random.chance(0.02) ? random.integer(800_000...4_000_000) : random.integer(4_000...120_000)
        let pods = (0..<3).map { _ in random.integer(0...shop.pods - 1) }
        let shapes = [
            Shape(service: 0, pod: pods[0], kind: 2, parent: -1, start: 0, duration: total, failed: failed),
            Shape(service: 0, pod: pods[0], kind: 3, parent: 0, start: total / 50, duration: total * 95 / 100, failed: failed),
            Shape(service: route.service, pod: pods[1], kind: 2, parent: 1, start: total / 25, duration: total * 90 / 100, failed: failed),
            Shape(service: route.service, pod: pods[1], kind: 3, parent: 2, start: total / 20, duration: total * 30 / 100),
            Shape(service: route.service, pod: pods[1], kind: 3, parent: 2, start: total * 40 / 100, duration: total * 40 / 100, failed: failed),
            Shape(service: route.dependency, pod: pods[2], kind: 2, parent: 4, start: total * 42 / 100, duration: total * 36 / 100, failed: failed),
            Shape(service: route.dependency, pod: pods[2], kind: 3, parent: 5, start: total * 45 / 100, duration: total * 28 / 100),
            Shape(service: route.service, pod: pods[1], kind: 4, parent: 2, start: total * 85 / 100, duration: total * 5 / 100),
        ]
        for (index, shape) in shapes.enumerated() {
            let span = encode(shape, index: index, route: route, trace: trace)
            scopes[shop.index(service: shape.service, pod: shape.pod)].message(2, span)
        }
    }

    private mutating func encode(_ shape: Shape, index: Int, route: Shop.Route, trace: Int) -> PayloadTemplate {
        var span = PayloadTemplate()
        span.rows = 1
        let offset = Int64(shape.start) * 1000 + Int64(random.integer(0...999))
        let end = offset + Int64(shape.duration) * 1000 + Int64(random.integer(0...999))
        span.traceID(1, trace: trace)
        span.spanID(2, trace: trace, span: index)
        if shape.parent >= 0 { span.spanID(4, trace: trace, span: shape.parent) }
        let isDatabase = index == 3 || index == 6
        let name =
            switch index {
            case 3, 6: "\(operation(route)) \(route.table)"
            case 7: "publish \(route.table).changed"
            case 0, 1: "\(route.method) \(route.route)"
            default: "\(Shop.services[shape.service])/\(route.table)"
            }
        span.constant {
            $0.stringField(5, name)
            $0.varintField(6, shape.kind)
        }
        span.time(7, trace: trace, offset: offset)
        span.time(8, trace: trace, offset: end)
        if isDatabase {
            databaseAttributes(&span, route: route, trace: trace)
        } else if shape.kind == 4 {
            messagingAttributes(&span, route: route, trace: trace)
        } else {
            requestAttributes(&span, route: route, shape: shape, trace: trace)
        }
        if shape.failed && index == 5 {
            var event = PayloadTemplate()
            event.time(1, trace: trace, offset: end - 1000)
            event.constant {
                $0.stringField(2, "exception")
                $0.keyValues(
                    3,
                    [
                        Attribute("exception.type", "shop.errors.UpstreamTimeout"),
                        Attribute("exception.message", "no answer within 2000 ms"),
                        Attribute("exception.stacktrace", .string(Shop.stackTrace)),
                    ])
            }
            span.message(11, event)
        }
        span.constant { wire in
            if shape.failed {
                wire.messageField(15) {
                    $0.stringField(2, "upstream timed out")
                    $0.varintField(3, 2)
                }
            }
            wire.fixed32Field(16, shape.parent < 0 ? 0x101 : 0x301)
        }
        return span
    }

    private mutating func requestAttributes(_ span: inout PayloadTemplate, route: Shop.Route, shape: Shape, trace: Int) {
        let status: Int64 = shape.failed ? 504 : random.chance(0.02) ? 404 : 200
        let agent = random.pick(Shop.userAgents)
        let size = Int64(random.integer(200...60_000))
        span.constant {
            $0.keyValues(
                9,
                [
                    Attribute("http.request.method", .string(route.method)),
                    Attribute("http.route", .string(route.route)),
                    Attribute("http.response.status_code", .int(status)),
                    Attribute("http.response.body.size", .int(size)),
                    Attribute("url.scheme", "https"),
                    Attribute("server.address", .string("\(Shop.services[shape.service]).shop.svc.cluster.local")),
                    Attribute("server.port", 8443),
                    Attribute("network.protocol.version", "1.1"),
                    Attribute("user_agent.original", .string(agent)),
                ])
        }
        span.attribute(9, "url.path", route.path, .order, trace: trace)
        span.attribute(9, "client.address", "10.24.7.1##", .number, trace: trace)
        span.attribute(9, "enduser.id", "user-########", .user, trace: trace)
    }

    private mutating func databaseAttributes(_ span: inout PayloadTemplate, route: Shop.Route, trace: Int) {
        let returned = Int64(random.integer(0...50))
        span.constant {
            $0.keyValues(
                9,
                [
                    Attribute("db.system.name", "postgresql"),
                    Attribute("db.namespace", "shop"),
                    Attribute("db.collection.name", .string(route.table)),
                    Attribute("db.operation.name", .string(operation(route))),
                    Attribute("db.query.text", .string(route.query)),
                    Attribute("db.response.returned_rows", .int(returned)),
                    Attribute("server.address", "postgres-primary.shop.svc.cluster.local"),
                    Attribute("server.port", 5432),
                    Attribute("network.peer.address", "10.24.0.11"),
                    Attribute("code.function.name", .string("Repository.\(route.table)")),
                ])
        }
        span.attribute(9, "db.client.connection.id", "conn-##", .number, trace: trace)
        span.attribute(9, "enduser.id", "user-########", .user, trace: trace)
    }

    private func operation(_ route: Shop.Route) -> String {
        String(route.query.prefix { $0 != " " })
    }

    private mutating func messagingAttributes(_ span: inout PayloadTemplate, route: Shop.Route, trace: Int) {
        let size = Int64(random.integer(300...4000))
        let partition = String(random.integer(0...11))
        span.constant {
            $0.keyValues(
                9,
                [
                    Attribute("messaging.system", "kafka"),
                    Attribute("messaging.operation.type", "send"),
                    Attribute("messaging.destination.name", .string("\(route.table).changed")),
                    Attribute("messaging.destination.partition.id", .string(partition)),
                    Attribute("messaging.message.body.size", .int(size)),
                    Attribute("messaging.client.id", "shop-producer"),
                    Attribute("server.address", "kafka-0.shop.svc.cluster.local"),
                    Attribute("server.port", 9092),
                    Attribute("network.transport", "tcp"),
                ])
        }
        span.attribute(9, "messaging.message.id", "m-############", .number, trace: trace)
        span.attribute(9, "messaging.kafka.message.key", "order-#########", .order, trace: trace)
        span.attribute(9, "enduser.id", "user-########", .user, trace: trace)
    }
}

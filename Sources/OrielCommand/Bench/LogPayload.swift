import OrielTelemetry

/// Encodes log requests of the shop: up to four records a trace, each with the ids of the span that it was written in.
struct LogPayload {
    /// The most that share a trace.
    static let recordsPerTrace = 4

    private struct Line {
        let severity: UInt64
        let severityText: String
        /// `#` becomes digits.
        let body: String
        let digits: Patch.Kind
        let logger: String
    }

    private static let lines: [Line] = [
        Line(severity: 9, severityText: "INFO", body: "request started for user-########", digits: .user, logger: "http.access"),
        Line(severity: 9, severityText: "INFO", body: "order ######### accepted, reserving stock", digits: .order, logger: "orders.place"),
        Line(severity: 5, severityText: "DEBUG", body: "cache miss for key product:#########, loading from database", digits: .order, logger: "cache"),
        Line(severity: 9, severityText: "INFO", body: "query on postgres-primary took ##.4 ms, 17 rows", digits: .number, logger: "db.pool"),
        Line(severity: 9, severityText: "INFO", body: "published order.changed to partition 7 at offset #########", digits: .number, logger: "kafka"),
        Line(severity: 13, severityText: "WARN", body: "slow upstream inventory: 1### ms, retrying once", digits: .number, logger: "http.client"),
        Line(severity: 9, severityText: "INFO", body: "session of user-######## refreshed, valid for 3600 s", digits: .user, logger: "accounts"),
        Line(severity: 9, severityText: "INFO", body: "request finished with status 200 in ## ms", digits: .number, logger: "http.access"),
    ]

    private static let failure = Line(
        severity: 17, severityText: "ERROR", body: "payment for order ######### failed: upstream timed out", digits: .order, logger: "payments")

    /// A request of so many traces, each of the first records of a whole one.
    static func template(shop: Shop, traces: Int, recordsPerTrace: Int, seed: UInt64) -> PayloadTemplate {
        var random = SeededRandom(seed: seed)
        var scopes = Array(repeating: PayloadTemplate(), count: Shop.services.count * shop.pods)
        for trace in 0..<traces {
            let route = random.pick(Shop.routes)
            let failed = random.chance(0.03)
            for index in 0..<recordsPerTrace {
                let service = index == 0 || index == 3 ? 0 : index == 1 ? route.service : route.dependency
                let line = failed && index == 2 ? failure : random.pick(lines)
                let record = encode(line, index: index, route: route, trace: trace, random: &random)
                scopes[shop.index(service: service, pod: random.integer(0...shop.pods - 1))].message(2, record)
            }
        }
        var request = PayloadTemplate()
        for (resource, records) in zip(shop.resources, scopes) where records.rows > 0 {
            var scope = PayloadTemplate()
            scope.constant { $0.scopeField(name: "shop.logging", version: "1.0.0") }
            scope.append(records)
            var group = PayloadTemplate()
            group.constant { $0.resourceField(resource) }
            group.message(2, scope)
            request.message(1, group)
        }
        return request
    }

    private static func encode(_ line: Line, index: Int, route: Shop.Route, trace: Int, random: inout SeededRandom) -> PayloadTemplate {
        var record = PayloadTemplate()
        record.rows = 1
        let offset = Int64(index) * 9_000_000 + Int64(random.integer(0...5_000_000))
        record.time(1, trace: trace, offset: offset)
        record.time(11, trace: trace, offset: offset + 12_000)
        record.constant {
            $0.varintField(2, line.severity)
            $0.stringField(3, line.severityText)
        }
        var body = PayloadTemplate()
        body.text(1, line.body, line.digits, trace: trace)
        record.message(5, body)
        let thread = Int64(random.integer(1...16))
        let number = Int64(random.integer(20...400))
        record.constant { wire in
            wire.keyValues(
                6,
                [
                    Attribute("logger.name", .string(line.logger)),
                    Attribute("http.route", .string(route.route)),
                    Attribute("thread.id", .int(thread)),
                    Attribute("code.file.path", .string("src/\(line.logger.split(separator: ".").joined(separator: "/")).js")),
                    Attribute("code.line.number", .int(number)),
                ])
            if line.severity >= 17 {
                wire.keyValues(
                    6,
                    [
                        Attribute("exception.type", "shop.errors.UpstreamTimeout"),
                        Attribute("exception.message", "no answer within 2000 ms"),
                        Attribute("exception.stacktrace", .string(Shop.stackTrace)),
                    ])
            }
        }
        record.attribute(6, "enduser.id", "user-########", .user, trace: trace)
        record.constant { $0.fixed32Field(8, 1) }
        record.traceID(9, trace: trace)
        record.spanID(10, trace: trace, span: [0, 2, 5, 0][index])
        return record
    }
}

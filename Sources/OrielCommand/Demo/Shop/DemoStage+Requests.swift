import OrielTelemetry
import Tracing

extension DemoStage {
    /// A request from one service to another: the client's span, the server's within it.
    ///
    /// - Parameter body: What the server does; it returns the HTTP status.
    mutating func request(
        from client: DemoService, to server: DemoService, _ method: String, _ route: String, path: String, _ body: (inout Self) async -> Int
    ) async -> Int {
        await span(
            client, method, .client,
            [
                Attribute("http.request.method", .string(method)), Attribute("url.full", .string("http://\(server.name)\(path)")),
                Attribute("server.address", .string(server.name)), Attribute("server.port", 8080),
            ]
        ) { stage in
            await stage.work(1)
            let status = await stage.span(
                server, "\(method) \(route)", .server,
                [
                    Attribute("http.request.method", .string(method)), Attribute("http.route", .string(route)), Attribute("url.path", .string(path)),
                    Attribute("url.scheme", "http"),
                ]
            ) { stage in
                await stage.work(1)
                let status = await body(&stage)
                await stage.work(1)
                stage.set("http.response.status_code", .int(Int64(status)))
                if status >= 500 { stage.fail("answered \(status)") }
                return status
            }
            await stage.work(1)
            stage.set("http.response.status_code", .int(Int64(status)))
            if status >= 400 { stage.fail("answered \(status)") }
            return status
        }
    }

    /// A statement that a service has the database execute.
    mutating func query(_ service: DemoService, _ operation: String, _ table: String, _ text: String, _ milliseconds: Double) async {
        await span(
            service, "\(operation) \(table)", .client,
            [
                Attribute("db.system.name", "postgresql"), Attribute("db.namespace", "shop"), Attribute("db.collection.name", .string(table)),
                Attribute("db.operation.name", .string(operation)), Attribute("db.query.text", .string(text)), Attribute("server.address", "database"),
            ]
        ) { await $0.work(milliseconds) }
    }
}

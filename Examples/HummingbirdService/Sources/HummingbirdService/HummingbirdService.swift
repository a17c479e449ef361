import Hummingbird
import Logging
import Metrics
import Oriel
import Tracing

@main
struct HummingbirdService {
    static func main() async throws {
        let telemetry = try Oriel.bootstrap()
        let placed = Counter(label: "orders.placed")

        let router = Router()
        // Routes that come before the middleware are not traced.
        router.get("metrics") { request, _ in
            let metrics = telemetry.exposition(accept: request.headers[values: .accept].joined(separator: ","))
            return Response(
                status: .ok, headers: [.contentType: metrics.contentType], body: ResponseBody(byteBuffer: ByteBuffer(bytes: metrics.body)))
        }
        router.addMiddleware {
            TracingMiddleware()
            MetricsMiddleware()
        }
        router.post("orders/{item}") { _, context in
            let item = try context.parameters.require("item")
            context.logger.info("order of \(item)", metadata: ["order.item": "\(item)"])
            try await telemetry.tracer.withSpan("INSERT orders", ofKind: .client) { span in
                span.attributes["db.system.name"] = "postgresql"
                try await Task.sleep(for: .milliseconds(5))
                if item == "teapot" { throw HTTPError(.conflict, message: "out of teapots") }
            }
            placed.increment()
            return HTTPResponse.Status.created
        }
        let app = Application(router: router, configuration: .init(serverName: "shop"), services: [telemetry.service])
        try await app.runService()
    }
}

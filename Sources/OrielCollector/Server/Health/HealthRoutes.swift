import HTTPTypes
import Hummingbird
import NIOCore
import OrielClient

/// Liveness, readiness and the daemon's own metrics.
enum HealthRoutes {
    static func add(to routes: inout RouteTable, registry: MetricRegistry, isReady: @escaping @Sendable () -> Bool) {
        // Probes come without tokens and on whatever listener the orchestrator reaches.
        routes.on(.metrics, .get, "/-/healthy", isOpen: true) { _, _ in text(.ok, "oriel is alive\n") }
        routes.on(.metrics, .get, "/-/ready", isOpen: true) { _, _ in
            isReady() ? text(.ok, "oriel is ready\n") : text(.serviceUnavailable, "oriel is starting or stopping\n")
        }
        routes.on(.metrics, .get, "/metrics") { request, _ in
            let format = ExpositionFormat(accept: request.headers[.accept])
            var bytes: [UInt8] = []
            format.write(registry.snapshot(), to: &bytes)
            return Response(
                status: .ok, headers: [.contentType: format.contentType], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

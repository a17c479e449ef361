import OrielTelemetry

/// The system that the generated telemetry comes from: services with pods, and the routes that requests take through them.
struct Shop: Sendable {
    struct Route: Sendable {
        let method: String
        let route: String
        /// The path of a request; `#` becomes digits.
        let path: String
        let service: Int
        let dependency: Int
        let table: String
        let query: String
    }

    static let services = ["api-gateway", "orders", "inventory", "payments", "catalog", "accounts"]

    static let routes: [Route] = [
        Route(
            method: "GET", route: "/api/products/{id}", path: "/api/products/#########", service: 4, dependency: 2, table: "products",
            query: "SELECT id, name, price, stock FROM products WHERE id = $1"),
        Route(
            method: "GET", route: "/api/products", path: "/api/products?page=###", service: 4, dependency: 2, table: "products",
            query: "SELECT id, name, price FROM products WHERE category = $1 ORDER BY rank LIMIT 50"),
        Route(
            method: "POST", route: "/api/orders", path: "/api/orders?cart=#########", service: 1, dependency: 3, table: "orders",
            query: "INSERT INTO orders (id, user_id, total, currency, state) VALUES ($1, $2, $3, $4, $5) RETURNING created_at"),
        Route(
            method: "GET", route: "/api/orders/{id}", path: "/api/orders/#########", service: 1, dependency: 2, table: "orders",
            query: "SELECT o.*, l.* FROM orders o JOIN order_lines l ON l.order_id = o.id WHERE o.id = $1"),
        Route(
            method: "PUT", route: "/api/orders/{id}/address", path: "/api/orders/#########/address", service: 1, dependency: 5, table: "addresses",
            query: "UPDATE addresses SET street = $2, city = $3, zip = $4 WHERE order_id = $1"),
        Route(
            method: "POST", route: "/api/payments", path: "/api/payments?order=#########", service: 3, dependency: 5, table: "payments",
            query: "INSERT INTO payments (id, order_id, amount, provider, state) VALUES ($1, $2, $3, $4, 'authorised')"),
        Route(
            method: "POST", route: "/api/accounts/login", path: "/api/accounts/login?s=#########", service: 5, dependency: 4, table: "sessions",
            query: "SELECT id, password_hash, locked_until FROM accounts WHERE email = $1"),
        Route(
            method: "GET", route: "/api/accounts/{id}/history", path: "/api/accounts/#########/history", service: 5, dependency: 1, table: "events",
            query: "SELECT kind, payload, at FROM events WHERE account_id = $1 AND at > $2 ORDER BY at DESC LIMIT 100"),
    ]

    static let userAgents = [
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
        "ShopApp/8.12.1 (Android 14; Pixel 8)",
        "okhttp/4.12.0",
    ]

    static let stackTrace = """
        shop.errors.UpstreamTimeout: no answer within 2000 ms
            at shop.http.Client.send (client.js:214:19)
            at async shop.inventory.reserve (reserve.js:88:22)
            at async shop.orders.place (place.js:41:9)
            at async Router.handle (router.js:310:5)
            at async Server.onRequest (server.js:77:3)
        """

    /// Pods of each service.
    let pods: Int

    /// The attributes of the resource that a pod is.
    func resource(service: Int, pod: Int) -> [Attribute] {
        let name = Shop.services[service]
        let hash = SeededRandom.mixed(UInt64(service * 1000 + pod))
        let suffix = String(hash % 1_679_616, radix: 36)
        let podName = "\(name)-\(String(SeededRandom.mixed(UInt64(service)) % 2_176_782_336, radix: 36))-\(suffix)"
        return [
            Attribute("service.name", .string(name)),
            Attribute("service.namespace", "shop"),
            Attribute("service.version", .string("2.\(service + 3).1")),
            Attribute("service.instance.id", .string(podName)),
            Attribute("deployment.environment.name", "production"),
            Attribute("k8s.cluster.name", "eu-1"),
            Attribute("k8s.namespace.name", "shop"),
            Attribute("k8s.pod.name", .string(podName)),
            Attribute("k8s.node.name", .string("node-\(pod % 7)")),
            Attribute("cloud.region", "eu-central-1"),
            Attribute("telemetry.sdk.language", .string(service % 2 == 0 ? "nodejs" : "swift")),
            Attribute("telemetry.sdk.name", "opentelemetry"),
        ]
    }

    /// The number of a pod's resource among all.
    func index(service: Int, pod: Int) -> Int { service * pods + pod }

    /// All resources, in the order of ``index(service:pod:)``.
    var resources: [[Attribute]] {
        Shop.services.indices.flatMap { service in (0..<pods).map { resource(service: service, pod: $0) } }
    }
}

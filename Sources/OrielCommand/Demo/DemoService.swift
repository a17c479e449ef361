import OrielTelemetry

/// A part of the demo's shop that sends telemetry of its own.
enum DemoService: Int, CaseIterable, Sendable {
    case storefront
    case gateway
    case catalog
    case orders
    case payments
    case events
    case receipts
    case renderer

    var name: String {
        switch self {
        case .storefront: "storefront"
        case .gateway: "api-gateway"
        case .catalog: "catalog"
        case .orders: "orders"
        case .payments: "payments"
        case .events: "order-events"
        case .receipts: "receipt-function"
        case .renderer: "pdf-renderer"
        }
    }

    private var language: String {
        switch self {
        case .storefront: "webjs"
        case .gateway, .events: "go"
        case .catalog, .receipts: "nodejs"
        case .orders: "swift"
        case .payments, .renderer: "python"
        }
    }

    /// What identifies the service in all that it sends.
    var resource: Resource {
        var attributes: [Attribute] = [
            Attribute("service.name", .string(name)),
            Attribute("service.namespace", "shop"),
            Attribute("service.version", .string("1.\(rawValue + 2).0")),
            Attribute("service.instance.id", .string("\(name)-7d9f-\(rawValue)")),
            Attribute("deployment.environment.name", "demo"),
            Attribute("telemetry.sdk.language", .string(language)),
        ]
        if self == .receipts { attributes.append(Attribute("faas.name", "receipt-function")) }
        return Resource(attributes: attributes)
    }

    /// The library that records.
    var scope: InstrumentationScope { InstrumentationScope(name: "shop.\(name)", version: "1.0.0") }
}

import Oriel
import OrielTelemetry

/// A part of the demo's shop that has telemetry of its own.
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

    /// How the client library is told what the service is. The environment of the demo's user is none of the shop's.
    ///
    /// - Parameter instance: the number of the service's instance.
    func configuration(instance: Int? = nil) -> Oriel.Configuration {
        var configuration = Oriel.Configuration()
        configuration.serviceName = name
        configuration.serviceNamespace = "shop"
        configuration.serviceVersion = "1.\(rawValue + 2).0"
        configuration.environmentName = "demo"
        configuration.resourceAttributes = [Attribute("service.instance.id", .string("\(name)-7d9f-\(instance ?? rawValue)"))]
        if self == .receipts { configuration.resourceAttributes.append(Attribute("faas.name", .string(name))) }
        return configuration
    }

    /// What identifies the service's first instance in all that it sends.
    var resource: Resource { Self.resources[rawValue] }

    private static let resources = allCases.map { Oriel.detectResource($0.configuration()) }

    /// The name of the service's logger.
    var loggerLabel: String { "shop.\(name)" }
}

import Logging
import OrielTelemetry
import Tracing

/// A customer looks at a product.
struct DemoBrowsing: Sendable {
    var user: String
    var product: Int
    /// Whether the database takes long.
    var isSlow: Bool
    /// Whether there is no such product.
    var isMissing: Bool

    func play(on stage: inout some DemoStage) async {
        await stage.span(.storefront, "click product", .internal, [Attribute("enduser.id", .string(user))]) { stage in
            stage.log(.debug, "product \(product) clicked", [Attribute("product.id", .int(Int64(product)))])
            _ = await stage.request(from: .storefront, to: .gateway, "GET", "/products/{id}", path: "/products/\(product)") { stage in
                await stage.request(from: .gateway, to: .catalog, "GET", "/products/{id}", path: "/products/\(product)") { await find(on: &$0) }
            }
        }
    }

    private func find(on stage: inout some DemoStage) async -> Int {
        await stage.work(2)
        stage.log(.debug, "cache miss for product \(product)", [Attribute("product.id", .int(Int64(product)))])
        await stage.query(.catalog, "SELECT", "products", "SELECT id, name, price, stock FROM products WHERE id = $1", isSlow ? 900 : 6)
        if isSlow {
            stage.log(
                .warning, "slow query on products: a sequential scan instead of an index",
                [Attribute("db.collection.name", "products"), Attribute("product.id", .int(Int64(product)))])
        }
        await stage.work(1)
        return isMissing ? 404 : 200
    }
}

import FoundationEssentials
import OrielTelemetry

/// Draws what happens in the demo's shop: customers look at products and order, and orders become receipts.
///
///     storefront -> api-gateway -> catalog  -> database
///                              \-> orders   -> database
///                                         \-> payments -> bank (fails and is retried)
///     order-events -> receipt-function -> pdf-renderer -> storage
struct DemoCustomers: Sendable {
    enum Visit: Sendable {
        case browsing(DemoBrowsing)
        case checkout(DemoCheckout)
    }

    private var random: SeededRandom
    private var nextOrder = 48_213

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    mutating func visit() -> Visit {
        random.chance(0.3) ? .checkout(checkout()) : .browsing(browsing())
    }

    /// In one of twelve requests the database is slow.
    mutating func browsing() -> DemoBrowsing {
        DemoBrowsing(user: user(), product: random.integer(1...900), isSlow: random.chance(0.08), isMissing: random.chance(0.03))
    }

    mutating func checkout(fails: Bool? = nil) -> DemoCheckout {
        nextOrder += 1
        let failures = fails == true ? DemoCheckout.attempts : random.chance(0.06) ? DemoCheckout.attempts : random.chance(0.2) ? 1 : 0
        return DemoCheckout(
            user: user(), order: nextOrder, total: Double(random.integer(499...25_000)) / 100, bankFailures: fails == false ? 0 : failures)
    }

    mutating func receipts(of events: [DemoReceipts.Event], isCold: Bool? = nil) -> DemoReceipts {
        let isStarted = random.chance(0.15)
        let refused = events.map(\.order).filter { _ in random.chance(0.05) }
        return DemoReceipts(requestID: UUID().uuidString.lowercased(), events: events, isCold: isCold ?? isStarted, refused: Set(refused))
    }

    private mutating func user() -> String {
        "user-\(10_000 + Int(random.fraction() * random.fraction() * 5_000))"
    }
}

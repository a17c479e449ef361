/// How much memory the shop's services say that they use, in bytes: made up, since all of them share a process.
struct DemoMemory: Sendable {
    private static let bounds = 30.0 * 1_048_576...600 * 1_048_576

    private var random: SeededRandom
    private var used: [DemoService: Double] = [:]

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        for service in DemoService.allCases { used[service] = Double(random.integer(40...300)) * 1_048_576 }
    }

    /// What the service uses now, a little more or less than before.
    mutating func next(_ service: DemoService) -> Int64 {
        let value = (used[service] ?? Self.bounds.lowerBound) * (0.98 + 0.04 * random.fraction())
        used[service] = min(max(value, Self.bounds.lowerBound), Self.bounds.upperBound)
        return Int64(value)
    }
}

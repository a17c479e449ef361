import OrielTelemetry

/// A row of values as small bars.
enum Sparkline {
    private static let bars = Array("▁▂▃▄▅▆▇█")

    /// One bar per value, from the lowest to the highest; a gap where there is none, and the lowest bar when all are equal.
    static func text(_ values: [Double?]) -> String {
        let known = values.compactMap { $0 }.filter(\.isFinite)
        guard let low = known.min(), let high = known.max() else { return String(repeating: " ", count: values.count) }
        return String(
            values.map { value in
                guard let value, value.isFinite else { return " " }
                guard high > low else { return bars[0] }
                let share = (value / 2 - low / 2) / (high / 2 - low / 2)
                return bars[min(bars.count - 1, max(0, Int(share * Double(bars.count))))]
            })
    }

    /// How fast a counter grew up to each sample, per second; a fall is a restart from zero. Times are nanoseconds.
    static func rates(_ samples: [(time: Int64, value: Double)?]) -> [Double?] {
        var previous: (time: Int64, value: Double)?
        return samples.map { sample in
            guard let sample else { return nil }
            defer { previous = sample }
            guard let before = previous, sample.time > before.time else { return nil }
            let growth = sample.value >= before.value ? sample.value - before.value : sample.value
            return growth / (Double(sample.time.subtractingSaturating(before.time)) / 1e9)
        }
    }
}

/// Numbers for people.
enum NumberText {
    /// About three digits behind the point, large numbers with a unit prefix: `0.25`, `7080`, `1.23M`.
    static func short(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-∞" : "∞" }
        let magnitude = abs(value)
        if magnitude == value.magnitude.rounded(), magnitude < 1_000_000 { return String(Int(value)) }
        for (limit, suffix) in [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")] where magnitude >= limit {
            return magnitude >= limit * 1_000 ? "\(value)" : digits(value / limit, 2) + suffix
        }
        if magnitude >= 100 { return digits(value, 1) }
        if magnitude >= 0.01 { return digits(value, 3) }
        if magnitude >= 0.000_1 { return digits(value, 5) }
        if magnitude >= 0.000_001 { return digits(value, 7) }
        return "\(value)"
    }

    /// Rounded to so many decimals, without zeros at the end.
    private static func digits(_ value: Double, _ decimals: Int) -> String {
        var factor = 1.0
        for _ in 0..<decimals { factor *= 10 }
        let scaled = Int((abs(value) * factor).rounded())
        let whole = scaled / Int(factor)
        var fraction = String(scaled % Int(factor))
        fraction = String(repeating: "0", count: decimals - fraction.count) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return (value < 0 ? "-" : "") + String(whole) + (fraction.isEmpty ? "" : "." + fraction)
    }
}

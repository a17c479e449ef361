/// Durations as people write them. All are Int64 nanoseconds.
public enum DurationText {
    /// Reads `250ms`, `1.5s`, `1h30m`, `2d`: numbers with a unit (ns, us or µs, ms, s, m, h, d, w), one after another; or a plain `0`.
    ///
    /// `nil` for anything else and for more than 292 years.
    public static func nanoseconds(_ text: some StringProtocol) -> Int64? {
        if text == "0" { return 0 }
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest[number.endIndex...]
            let unit = rest.prefix { !($0.isASCII && $0.isNumber) && $0 != "." }
            rest = rest[unit.endIndex...]
            guard let factor = factor(of: unit), let part = product(number, factor) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return total
    }

    /// A short form with about three digits, for people: `0`, `512ns`, `12.3µs`, `250ms`, `1.23s`, `2m05s`, `3h02m`, `4d03h`.
    public static func short(_ nanoseconds: Int64) -> String {
        if nanoseconds < 0 { return "-" + short(nanoseconds == .min ? .max : -nanoseconds) }
        switch nanoseconds {
        case 0: return "0"
        case ..<1_000: return "\(nanoseconds)ns"
        case ..<999_500: return threeDigits(nanoseconds, 1_000) + "µs"
        case ..<999_500_000: return threeDigits(nanoseconds, 1_000_000) + "ms"
        case ..<59_950_000_000: return threeDigits(nanoseconds, 1_000_000_000) + "s"
        default: break
        }
        let seconds = nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 >= 500_000_000 ? 1 : 0)
        switch seconds {
        case ..<3_600: return "\(seconds / 60)m\(Int(seconds % 60).padded(2))s"
        case ..<86_400: return "\(seconds / 3_600)h\(Int(seconds / 60 % 60).padded(2))m"
        default: return "\(seconds / 86_400)d\(Int(seconds / 3_600 % 24).padded(2))h"
        }
    }

    /// `value / unit`, rounded to three digits, without zeros at the end of the fraction.
    private static func threeDigits(_ value: Int64, _ unit: Int64) -> String {
        let decimals: Int64 = value < 9_995 * unit / 1_000 ? 100 : value < 99_950 * unit / 1_000 ? 10 : 1
        let step = unit / decimals
        let rounded = (value + step / 2) / step
        let whole = rounded / decimals
        let fraction = rounded % decimals
        guard fraction > 0 else { return String(whole) }
        var digits = Int(fraction).padded(decimals == 100 ? 2 : 1)
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }

    private static func factor(of unit: Substring) -> Int64? {
        switch unit {
        case "ns": 1
        case "us", "µs", "μs": 1_000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m", "min": 60_000_000_000
        case "h": 3_600_000_000_000
        case "d": 86_400_000_000_000
        case "w": 604_800_000_000_000
        default: nil
        }
    }

    private static func product(_ number: Substring, _ factor: Int64) -> Int64? {
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let value = Int64(whole) else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return product }
        guard let fraction = Double("0." + parts[1]) else { return nil }
        let (sum, sumOverflow) = product.addingReportingOverflow(Int64((fraction * Double(factor)).rounded()))
        return sumOverflow ? nil : sum
    }
}

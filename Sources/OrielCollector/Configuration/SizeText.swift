/// Sizes in bytes as people write them: `64MiB`, `128MB`, `4096`.
public enum SizeText {
    private static let units: [(suffix: String, factor: Int)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("kB", 1000), ("KB", 1000), ("MB", 1_000_000),
        ("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1),
    ]

    /// The number of bytes, or nil if the text is not a size or does not fit.
    public static func parse(_ text: String) -> Int? {
        var digits = text[...]
        var factor = 1
        for unit in units where text.lowercased().hasSuffix(unit.suffix.lowercased()) {
            digits = text.dropLast(unit.suffix.count)
            factor = unit.factor
            break
        }
        while digits.last == " " { digits = digits.dropLast() }
        guard let number = Int(digits), number >= 0 else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : bytes
    }

    /// The shortest exact form, as most people would have written it: 200000000000 is `200GB`, 67108864 is `64MiB`.
    static func format(_ bytes: Int) -> String {
        var best = (number: bytes, suffix: "B")
        for unit in units where bytes >= unit.factor && bytes % unit.factor == 0 && bytes / unit.factor < best.number {
            best = (bytes / unit.factor, unit.suffix)
        }
        return "\(best.number)\(best.suffix)"
    }
}

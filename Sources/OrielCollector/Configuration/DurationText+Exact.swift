import OrielTelemetry

extension DurationText {
    /// The duration with the largest units that say it exactly, as in `1d12h`; readable by ``nanoseconds(_:)``.
    static func exact(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let units: [(suffix: String, size: Int64)] = [
            ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
            ("us", 1_000), ("ns", 1),
        ]
        var rest = nanoseconds
        var text = ""
        for unit in units where rest >= unit.size {
            text += "\(rest / unit.size)\(unit.suffix)"
            rest %= unit.size
        }
        return text
    }
}

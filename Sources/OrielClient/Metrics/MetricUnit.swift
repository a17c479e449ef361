/// Units: UCUM's symbols, which OpenTelemetry uses, and the words that Prometheus' names end in.
enum MetricUnit {
    private static let words: [String: String] = [
        "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds",
        "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes", "KBy": "kilobytes",
        "kBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes",
        "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius", "Hz": "hertz",
        "%": "percent",
    ]

    /// The word for a unit, which may be given as one already. Empty for none, for the unit one, and for annotations such as `{request}`.
    static func word(_ unit: String) -> String {
        if unit.isEmpty || unit == "1" || unit.hasPrefix("{") { return "" }
        if let word = words[unit] { return word }
        // Characters that a name cannot have would only be underscores in it.
        return unit.utf8.allSatisfy { MetricName.isValid(String(UnicodeScalar($0))) } ? unit : ""
    }
}

package import OrielTelemetry

/// The names of series and labels, by the rules of OpenTelemetry's "Prometheus and OpenMetrics Compatibility" as Prometheus applies them.
package struct MetricNaming: Sendable {
    package let translation: OTLPMetricOptions.Translation

    package init(translation: OTLPMetricOptions.Translation) {
        self.translation = translation
    }

    /// What decides a metric's suffixes.
    package enum Kind: UInt8, Sendable {
        case gauge
        case counter
        case other
    }

    /// The name of a metric's series; `nil` when nothing but separators is left of it.
    package func metricName(_ name: String, unit: String, kind: Kind) -> String? {
        let result =
            switch translation {
            case .noTranslation: name
            case .noUTF8EscapingWithSuffixes: suffixed(name, unit: unit, kind: kind)
            case .underscoreEscapingWithoutSuffixes: MetricNaming.tokens(of: name) { MetricNaming.isNameCharacter($0) || $0 == "_" }.joined(separator: "_")
            case .underscoreEscapingWithSuffixes: escapedAndSuffixed(name, unit: unit, kind: kind)
            }
        if result == name { return result.isEmpty ? nil : result }
        guard result.utf8.contains(where: { $0 != UInt8(ascii: "_") }) else { return nil }
        return translation.escapes && MetricNaming.startsWithDigit(result) ? "_" + result : result
    }

    /// The name of a label. A name that starts with a digit or one underscore gets `key_` or `key` in front; so does one of which only
    /// underscores are left, since those
    /// are reserved.
    package func labelName(_ key: String) -> String {
        guard translation.escapes else { return key }
        var name = ""
        for scalar in key.unicodeScalars {
            name.unicodeScalars.append(MetricNaming.isNameCharacter(scalar) && scalar != ":" ? scalar : "_")
        }
        if MetricNaming.startsWithDigit(name) { return "key_" + name }
        let isOnlyUnderscores = name.utf8.allSatisfy { $0 == UInt8(ascii: "_") }
        if isOnlyUnderscores || (name.hasPrefix("_") && !name.hasPrefix("__")) { return "key" + name }
        return name
    }

    /// The value of a label of an attribute's value.
    package func labelText(_ value: AttributeValue) -> String { value.labelText }

    private func escapedAndSuffixed(_ name: String, unit: String, kind: Kind) -> String {
        var tokens = MetricNaming.tokens(of: name, where: MetricNaming.isNameCharacter)
        var (main, per) = MetricNaming.unitSuffixes(unit)
        main = MetricNaming.escapedUnit(main)
        per = MetricNaming.escapedUnit(per)
        if per == "per_" { per = "" }
        if per.hasSuffix("_") { per.removeLast() }
        if tokens.contains(per) { per = "" }
        if tokens.contains(main) { main = "" }
        if !per.isEmpty, main.hasSuffix("_") { main.removeLast() }
        for suffix in [main, per] where !suffix.isEmpty { tokens.append(suffix) }
        if kind == .counter {
            tokens.removeAll { $0 == "total" }
            tokens.append("total")
        }
        // Only gauges: counters of things are often sent with unit 1 and are no ratios.
        if unit == "1", kind == .gauge {
            tokens.removeAll { $0 == "ratio" }
            tokens.append("ratio")
        }
        return tokens.joined(separator: "_")
    }

    private func suffixed(_ name: String, unit: String, kind: Kind) -> String {
        /// The name without a suffix that is put back behind others, and the delimiter before it.
        func trimmed(_ name: String, _ suffix: String) -> String {
            name.hasSuffix(suffix) && name.utf8.count > suffix.utf8.count + 1 ? String(name.dropLast(suffix.count + 1)) : name
        }
        let (main, per) = MetricNaming.unitSuffixes(unit)
        var name = name
        var suffixes: [String] = []
        if unit == "1", kind == .gauge {
            name = trimmed(name, "ratio")
            suffixes.insert("ratio", at: 0)
        }
        if kind == .counter {
            name = trimmed(name, "total")
            suffixes.insert("total", at: 0)
        }
        if !per.isEmpty {
            name = trimmed(name, per)
            suffixes.insert(per, at: 0)
        }
        if !main.isEmpty, !name.hasSuffix(main) { name += "_" + main }
        return ([name] + suffixes).joined(separator: "_")
    }

    /// The suffixes of a UCUM unit: of the part before a slash and of the part behind it, that one with `per_`. Annotations in braces have
    /// none.
    static func unitSuffixes(_ unit: String) -> (main: String, per: String) {
        let parts = unit.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        func suffix(_ part: Int, _ names: [String: String]) -> String {
            guard part < parts.count else { return "" }
            let text = parts[part].drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            let symbol = String(text)
            guard !symbol.contains("{"), !symbol.contains("}") else { return "" }
            return names[symbol] ?? symbol
        }
        let per = suffix(1, perUnitNames)
        return (suffix(0, unitNames), per.isEmpty ? "" : "per_" + per)
    }

    private static func escapedUnit(_ unit: String) -> String {
        var text = ""
        for scalar in unit.unicodeScalars {
            let escaped: Unicode.Scalar = isNameCharacter(scalar) ? scalar : "_"
            if escaped == "_", text.isEmpty || text.hasSuffix("_") { continue }
            text.unicodeScalars.append(escaped)
        }
        return text
    }

    private static func tokens(of name: String, where isPart: (Unicode.Scalar) -> Bool) -> [String] {
        name.unicodeScalars.split { !isPart($0) }.map { String($0) }
    }

    private static func isNameCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ":": true
        default: false
        }
    }

    private static func startsWithDigit(_ name: String) -> Bool {
        name.utf8.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
    }

    private static let unitNames = [
        "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds",
        "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes", "KBy": "kilobytes",
        "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes", "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts",
        "g": "grams", "Cel": "celsius", "Hz": "hertz", "1": "", "%": "percent",
    ]

    private static let perUnitNames = [
        "s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
    ]
}

import OrielOTLP
import OrielTelemetry

/// The rules for names of metrics and labels: those of Prometheus' classic text format, and of these the names that OTLP's way to Prometheus series leaves as they are.
enum MetricName {
    /// The longest name of a metric or label in bytes.
    static let maximumLength = 200
    /// The longest value of a label in bytes; a longer one is cut.
    static let maximumValueLength = 1024
    /// The most labels of a series.
    static let maximumLabels = 32
    /// What a metric without a usable name is called.
    private static let placeholder = "unnamed"

    /// How receivers of OTLP make series' names of metrics' names. Names are brought into that form when a metric is registered, so that a scrape and a push name its series alike.
    static let naming = MetricNaming(translation: .underscoreEscapingWithSuffixes)

    static func isValid(_ name: String) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= maximumLength, !isDigit(first) else { return false }
        return bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ":") }
    }

    /// Whether a name has the form that OpenTelemetry gives names: `http.server.requests`. That it is spelled otherwise in a series is no mistake of anybody's.
    static func isDotted(_ name: String) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= maximumLength, isLetter(first) else { return false }
        return bytes.allSatisfy { isLetter($0) || isDigit($0) || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "/")].contains($0) }
    }

    /// A valid name near to `name`: any other character becomes an underscore, as Prometheus' escaping scheme "underscores" does it.
    static func sanitized(_ name: String) -> String {
        if isValid(name) { return name }
        var bytes: [UInt8] = []
        for character in name.unicodeScalars.prefix(maximumLength - 1) {
            let byte = UInt8(exactly: character.value) ?? 0
            if isDigit(byte), bytes.isEmpty { bytes.append(UInt8(ascii: "_")) }
            bytes.append(isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: ":") ? byte : UInt8(ascii: "_"))
        }
        return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
    }

    /// What is wrong with a label's name, or nil.
    static func labelFault(_ name: String, kind: MetricFamily.Kind) -> String? {
        if !isValid(name) || name.utf8.contains(UInt8(ascii: ":")) {
            return "is not 1 to \(maximumLength) of the characters a-z A-Z 0-9 _ with no digit in front"
        }
        if name.hasPrefix("_") { return "begins with an underscore: two are Prometheus' own, and receivers of OTLP rename one" }
        if kind == .histogram, name == "le" { return "is what histograms name their buckets' bounds with" }
        return nil
    }

    /// A valid label name near to `name`.
    static func sanitizedLabel(_ name: String, kind: MetricFamily.Kind) -> String {
        guard labelFault(name, kind: kind) != nil else { return name }
        var valid = String(sanitized(name).map { $0 == ":" ? "_" : $0 })
        while valid.hasPrefix("__") { valid.removeFirst() }
        if valid.hasPrefix("_") { valid = "key" + valid.prefix(maximumLength - 3) }
        return labelFault(valid, kind: kind) == nil ? valid : "exported_" + valid.prefix(maximumLength - 10)
    }

    /// Whether receivers of OTLP make a label of that name of an attribute's key.
    static func isLabel(_ name: String, of key: String) -> Bool { naming.labelName(key) == name }

    /// The name of the family: words joined by single underscores, the unit's word among them, a counter's `total` not.
    static func family(_ name: String, unit: String, kind: MetricFamily.Kind) -> String {
        if unit.isEmpty, isPlain(name) { return name }
        switch kind {
        case .counter:
            let series = naming.metricName(name, unit: MetricUnit.symbol(unit), kind: .counter) ?? ""
            return series.hasSuffix("_total") ? String(series.dropLast(6)) : placeholder
        case .info:
            let ending = name.hasSuffix("_info") && name.utf8.count > 5 ? 5 : 0
            return naming.metricName(String(name.dropLast(ending)), unit: "", kind: .other) ?? placeholder
        default:
            return naming.metricName(name, unit: MetricUnit.symbol(unit), kind: kind == .gauge ? .gauge : .other) ?? placeholder
        }
    }

    /// The name and the unit that were given for a family, if receivers of OTLP make its series' names of them and nobody had to repair the
    /// name; `nil` where that is not so, or where the name does not differ.
    static func instrument(_ name: String, unit: String, kind: MetricFamily.Kind, of family: String) -> InstrumentName? {
        // What an info metric is called ends in `_info` in any case.
        guard name != family, kind != .info, name.utf8.count <= maximumLength, isValid(name) || isDotted(name) else { return nil }
        let (namingKind, seriesName) = seriesNaming(kind, of: family)
        for candidate in [unit, MetricUnit.word(unit, kind: kind), ""] where naming.metricName(name, unit: candidate, kind: namingKind) == seriesName {
            return InstrumentName(name: name, unit: candidate)
        }
        return nil
    }

    /// What receivers take a family's kind for, and what they are to make of its name.
    static func seriesNaming(_ kind: MetricFamily.Kind, of family: String) -> (kind: MetricNaming.Kind, seriesName: String) {
        switch kind {
        case .counter: (.counter, family + "_total")
        case .gauge: (.gauge, family)
        default: (.other, family)
        }
    }

    /// Whether nothing in a name without a unit asks for a second look: letters, digits and single underscores between them, and none of the words that have a meaning. Only saves time.
    private static func isPlain(_ name: String) -> Bool {
        var previous = UInt8(ascii: "_")
        // The byte before the last one.
        var last: UInt8 = 0
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                if previous == byte || isWordEnd(last, previous) { return false }
            } else if !isLetter(byte), !isDigit(byte) || previous == UInt8(ascii: "_") {
                return false
            }
            last = previous
            previous = byte
        }
        return previous != UInt8(ascii: "_") && !isWordEnd(last, previous) && name.utf8.count <= maximumLength
    }

    /// Whether a word ends as `total` (al), `ratio` (io) or `info` (fo) do.
    private static func isWordEnd(_ first: UInt8, _ second: UInt8) -> Bool {
        (first == UInt8(ascii: "a") && second == UInt8(ascii: "l"))
            || ((first == UInt8(ascii: "i") || first == UInt8(ascii: "f")) && second == UInt8(ascii: "o"))
    }

    /// The names that the series of a family have in the text formats, the family's own included.
    static func reserved(_ family: String, kind: MetricFamily.Kind) -> [String] {
        let endings: [String] =
            switch kind {
            case .counter: ["", "_total", "_created"]
            case .histogram: ["", "_bucket", "_sum", "_count", "_created"]
            case .info: ["", "_info"]
            default: [""]
            }
        return endings.map { family + $0 }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

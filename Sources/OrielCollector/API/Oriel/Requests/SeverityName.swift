import OrielTelemetry

/// OpenTelemetry's names for severity numbers.
public enum SeverityName {
    /// The lowest number of each, in rising order.
    public static let lowest: KeyValuePairs<String, Int64> = ["trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21]

    /// `TRACE`, `DEBUG2`, …; the empty string for 0 and for numbers beyond 24.
    public static func name(of number: Int64) -> String {
        guard (1...24).contains(number) else { return "" }
        let names = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
        let step = (number - 1) % 4
        return names[Int((number - 1) / 4)] + (step == 0 ? "" : String(step + 1))
    }

    /// The lowest number that a name (of any case, `warning` and `critical` too) or a number means.
    static func number(of text: String, parameter: String) throws(APIError) -> Int64 {
        let word = text.lowercased()
        if let number = Int64(word), (1...24).contains(number) { return number }
        switch word {
        case "warning": return 13
        case "err": return 17
        case "critical": return 21
        default: break
        }
        for (name, number) in lowest where name == word { return number }
        let names = lowest.map(\.key)
        throw .invalid(parameter, text, expected: "\(names.joined(separator: ", ")) or a number from 1 to 24" + Suggestion.hint(for: text, in: names))
    }
}

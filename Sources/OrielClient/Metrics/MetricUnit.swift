import OrielOTLP
import OrielTelemetry

/// Units: UCUM's symbols, which OpenTelemetry uses, and the words that Prometheus' names end in.
enum MetricUnit {
    /// The word for a unit, which may be given as one already: `bytes`, `bytes_per_second`. Empty for none, for annotations such as `{request}`, and for the unit one,
    /// which makes a gauge a `ratio`.
    static func word(_ unit: String, kind: MetricFamily.Kind) -> String {
        let name = MetricName.naming.metricName("x", unit: symbol(unit), kind: kind == .gauge ? .gauge : .other) ?? ""
        return name.hasPrefix("x_") ? String(name.dropFirst(2)) : ""
    }

    /// The unit by the symbol that the naming rules know: they spell the kilobyte with a K.
    static func symbol(_ unit: String) -> String { unit == "kBy" ? "KBy" : unit }
}

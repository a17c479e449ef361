import OrielTelemetry

/// The keys of a metric's attributes as the application first spelled them, by the names of the labels that receivers make of them:
/// `http.request.method` for `http_request_method`.
struct AttributeKeys: Sendable {
    /// The most names that are remembered, so that labels which come and go do not add up; further ones are their own keys.
    private static let limit = 256

    private var keys: [String: String] = [:]
    /// Whether no key differs from its label's name, which is how most metrics are.
    private var areNames = true

    /// - Parameter spelled: keys that differ from the name of their label, by that name.
    mutating func note(_ labels: [MetricLabel], spelled: [String: String]) {
        for label in labels where keys[label.name] == nil && keys.count < Self.limit {
            let key = spelled[label.name]
            keys[label.name] = key ?? label.name
            if key != nil { areNames = false }
        }
    }

    func key(of label: MetricLabel) -> String { areNames ? label.name : keys[label.name] ?? label.name }
}

/// A label of a metric series. The metric's name is the label `__name__`.
public struct Label: Hashable, Comparable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// The name of the label that holds the metric's name.
    public static let metricName = "__name__"

    public static func < (left: Label, right: Label) -> Bool {
        if left.name == right.name { return left.value.utf8.lexicographicallyPrecedes(right.value.utf8) }
        return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}

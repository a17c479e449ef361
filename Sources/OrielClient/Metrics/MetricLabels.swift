/// One label of a series.
public struct MetricLabel: Sendable, Hashable, Comparable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    public static func < (left: MetricLabel, right: MetricLabel) -> Bool {
        left.name == right.name ? left.value < right.value : left.name < right.name
    }
}

/// Labels as a caller gives them, in any order: `["code": "200", "method": "GET"]`.
///
/// It only wraps an array of pairs, so that what a metrics API hands over can be looked up without a copy.
public struct MetricLabels: Sendable, ExpressibleByDictionaryLiteral {
    public var pairs: [(String, String)]

    public init(_ pairs: [(String, String)] = []) {
        self.pairs = pairs
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        pairs = elements
    }

    /// A hash that does not depend on the order of the pairs.
    func hash(in family: Family) -> UInt64 {
        var sum = UInt64(UInt(bitPattern: ObjectIdentifier(family)))
        for (name, value) in pairs {
            var hasher = Hasher()
            hasher.combine(name)
            hasher.combine(value)
            sum &+= UInt64(bitPattern: Int64(hasher.finalize()))
        }
        return sum
    }

    /// Whether `labels`, in which no name occurs twice, are the same in any order.
    func match(_ labels: [MetricLabel]) -> Bool {
        guard pairs.count == labels.count else { return false }
        for (index, (name, value)) in pairs.enumerated() {
            // Callers mostly keep one order, often the stored one.
            if labels[index].name == name {
                if labels[index].value != value { return false }
                continue
            }
            guard labels.contains(where: { $0.name == name && $0.value == value }) else { return false }
        }
        return true
    }
}

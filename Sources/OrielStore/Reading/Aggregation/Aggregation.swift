public import OrielTelemetry

/// What to compute of a plan's rows, group by group.
///
/// The result is partial: tables of disjoint sets of rows merge into the table of all of them (``AggregateTable/merge(_:)``).
public struct Aggregation: Hashable, Sendable {
    /// What rows of one group have in common.
    public enum Key: Hashable, Sendable {
        /// The whole stream: a series, or a resource and scope.
        case stream
        /// A field's value with its type: the integer 1, the double 1.0 and the text "1" are three groups, doubles are told apart by their bits. Rows that lack the
        /// field are a group of their own. For metrics a label is a ``Field/resourceAttribute(_:)``.
        case field(Field)
    }

    /// What is computed of a group's rows. The values of a field are its numbers: other types, missing values and stale markers (``Double/isStaleMarker``) count as
    /// none.
    public enum Measure: Hashable, Sendable {
        /// All rows that the scan delivers, with stale samples among them.
        case count
        /// The rows in which the field has a value: what an average divides by.
        case valueCount(Field)
        /// See ``NumericSum``.
        case sum(Field)
        /// NaN only when all values are.
        case minimum(Field)
        /// NaN only when all values are.
        case maximum(Field)
        /// The value of the row that comes first by (time, stream, ord).
        case first(Field)
        /// The value of the row that comes last by (time, stream, ord).
        case last(Field)
        /// How the values lie in exponential buckets of a resolution from ``ExponentialBuckets/schemas``. NaN is left out.
        case distribution(Field, schema: Int8)
    }

    /// None: all rows are one group (per time bucket).
    public var keys: [Key]
    /// Rows of different buckets are different groups.
    public var timeBuckets: TimeBuckets?
    public var measures: [Measure]
    /// With more groups than this (time buckets counted apart) the query ends with ``StoreError/tooManyGroups(limit:)``.
    public var groupLimit: Int

    public init(keys: [Key] = [], timeBuckets: TimeBuckets? = nil, measures: [Measure] = [.count], groupLimit: Int = 100_000) {
        self.keys = keys
        self.timeBuckets = timeBuckets
        self.measures = measures
        self.groupLimit = groupLimit
    }

    /// Throws ``StoreError/unsupported(_:)`` for what makes no sense.
    public func validate() throws(StoreError) {
        if let timeBuckets, timeBuckets.width <= 0 { throw .unsupported("time buckets of \(timeBuckets.width) ns; the width must be positive") }
        for case .distribution(_, let schema) in measures where !ExponentialBuckets.schemas.contains(schema) {
            throw .unsupported("exponential buckets of schema \(schema); it must lie in \(ExponentialBuckets.schemas)")
        }
    }

    /// What of the rows has to be decoded.
    var requiredProjection: Projection {
        var projection = Projection.positions
        var names: Set<String> = []
        for field in fields {
            switch field {
            case .column(let id):
                projection.columns.insert(id)
                if id == .body { projection.columns.insert(.bodyType) }
            case .attribute(let key), .anyAttribute(let key): names.insert(key)
            case .time, .resourceAttribute, .scopeAttribute: break
            }
        }
        if !names.isEmpty { projection.attributes = .keys(names) }
        return projection
    }

    private var fields: [Field] {
        let keyFields = keys.compactMap { if case .field(let field) = $0 { field } else { nil } }
        return keyFields + measures.compactMap(\.field)
    }
}

extension Aggregation.Measure {
    /// The field whose values are measured.
    public var field: Field? {
        switch self {
        case .count: nil
        case .valueCount(let field), .sum(let field), .minimum(let field), .maximum(let field), .first(let field), .last(let field),
            .distribution(let field, _):
            field
        }
    }
}

/// Time cut into equal spans: bucket k holds the times from `origin + k * width` up to, not including, `origin + (k + 1) * width`.
public struct TimeBuckets: Hashable, Sendable {
    public var origin: Timestamp
    /// In nanoseconds.
    public var width: Int64

    public init(origin: Timestamp = Timestamp(nanoseconds: 0), width: Int64) {
        self.origin = origin
        self.width = width
    }

    /// The start of the bucket of a time. All arithmetic saturates: what lies further from the origin than 64 bits of nanoseconds can say is counted in the outermost
    /// bucket, and the first bucket starts no earlier than time can begin.
    public func start(of time: Timestamp) -> Timestamp {
        let distance = time.nanoseconds.subtractingSaturating(origin.nanoseconds)
        let remainder = distance % width
        var start = distance - remainder
        if remainder < 0 { start = start.subtractingSaturating(width) }
        return origin.advanced(by: start)
    }
}

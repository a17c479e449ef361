/// The values of one fixed column of a batch, one per row.
public enum Column: Sendable, Equatable {
    /// Not part of the batch: a scan that did not ask for the column.
    case absent
    case integers([Int64])
    case doubles([Double])
    /// 8-byte ids, which are random: never delta-coded.
    case identifiers([UInt64])
    case traceIDs([TraceID])
    case bytes(ByteColumn)

    /// How many values there are; 0 when absent.
    public var count: Int {
        switch self {
        case .absent: 0
        case .integers(let values): values.count
        case .doubles(let values): values.count
        case .identifiers(let values): values.count
        case .traceIDs(let values): values.count
        case .bytes(let values): values.count
        }
    }

    /// An empty column of a kind.
    public init(kind: ColumnKind) {
        switch kind {
        case .integer: self = .integers([])
        case .double: self = .doubles([])
        case .identifier: self = .identifiers([])
        case .traceID: self = .traceIDs([])
        case .bytes: self = .bytes(ByteColumn())
        }
    }

    /// `count` default values of a kind: 0, the zero id, the empty string.
    public init(kind: ColumnKind, defaults count: Int) {
        switch kind {
        case .integer: self = .integers(Array(repeating: 0, count: count))
        case .double: self = .doubles(Array(repeating: 0, count: count))
        case .identifier: self = .identifiers(Array(repeating: 0, count: count))
        case .traceID: self = .traceIDs(Array(repeating: .zero, count: count))
        case .bytes:
            var column = ByteColumn()
            for _ in 0..<count { column.appendEmpty() }
            self = .bytes(column)
        }
    }
}

/// What a fixed column holds.
public enum ColumnKind: UInt8, Sendable {
    case integer
    case double
    case identifier
    case traceID
    case bytes
}

/// The name of a fixed column. The raw values are stored in files: never reuse or renumber one.
public enum ColumnID: UInt8, Sendable, CaseIterable {
    case traceID = 1
    case spanID = 2
    case flags = 3
    case droppedAttributes = 4

    case parentSpanID = 10
    case traceState = 11
    case name = 12
    /// OTLP `SpanKind`.
    case kind = 13
    /// End minus start in nanoseconds; negative when the span ended before it started.
    case duration = 14
    /// OTLP `StatusCode`.
    case statusCode = 15
    case statusMessage = 16
    /// The span's events as OTLP: `Span` fields 11, one after another, tags included.
    case events = 17
    case droppedEvents = 18
    /// The span's links as OTLP: `Span` fields 13, one after another, tags included.
    case links = 19
    case droppedLinks = 20

    case severityNumber = 30
    case severityText = 31
    /// Raw value of ``AttributeType``.
    case bodyType = 32
    /// UTF-8 of a string body, else the content of an OTLP `AnyValue`.
    case body = 33
    /// Nanoseconds since 1970; 0 when the record had none.
    case observedTime = 34
    /// Raw value of ``LogTimeOrigin``.
    case timeOrigin = 35
    case eventName = 36

    case value = 50
    case count = 51
    case sum = 52
    /// The rest of a ``NativeHistogram`` in its own encoding.
    case buckets = 53

    public var kind: ColumnKind {
        switch self {
        case .traceID: .traceID
        case .spanID, .parentSpanID: .identifier
        case .flags, .droppedAttributes, .kind, .duration, .statusCode, .droppedEvents, .droppedLinks, .severityNumber, .bodyType, .observedTime,
            .timeOrigin:
            .integer
        case .value, .count, .sum: .double
        case .traceState, .name, .statusMessage, .events, .links, .severityText, .body, .eventName, .buckets: .bytes
        }
    }
}

/// Rows of one signal, column by column: the one container in which telemetry enters a store and leaves it.
///
/// Decoders build the typed batches (``SpanBatch``, ``LogBatch``, …) and hand them over as this form; engines treat all signals alike. Conversions share the arrays.
/// All arrays have ``count`` elements, except ``ords``, absent columns and ``attributes``, which may be missing.
public struct ColumnBatch: Sendable {
    public var signal: Signal
    /// The streams of these rows, as their descriptors' canonical bytes; ``streamIndexes`` points into it.
    public var streams: StreamTable
    public var streamIndexes: [UInt32]
    /// A row's place in time, in the signal's unit: a span's start, a log record's time, a sample's time.
    public var times: [Int64]
    /// Row numbers in commit order; empty when not assigned yet, not asked for, or when the signal has none.
    public var ords: [UInt64]
    /// Parallel to ``Signal/columns``.
    public var columns: [Column]
    /// `nil` when the signal has none or the scan did not ask for them.
    public var attributes: AttributeTable?

    /// An empty batch with all columns of the signal.
    public init(signal: Signal) {
        self.signal = signal
        streams = StreamTable()
        streamIndexes = []
        times = []
        ords = []
        columns = signal.columns.map { Column(kind: $0.kind) }
        attributes = signal.hasAttributes ? AttributeTable() : nil
    }

    public init(
        signal: Signal, streams: StreamTable, streamIndexes: [UInt32], times: [Int64], ords: [UInt64] = [], columns: [Column],
        attributes: AttributeTable? = nil
    ) {
        self.signal = signal
        self.streams = streams
        self.streamIndexes = streamIndexes
        self.times = times
        self.ords = ords
        self.columns = columns
        self.attributes = attributes
        assert(hasConsistentCounts)
    }

    @inlinable
    public var count: Int { times.count }

    /// A column by name; `.absent` when the signal or this batch does not have it.
    public subscript(id: ColumnID) -> Column {
        get {
            guard let position = signal.columns.firstIndex(of: id) else { return .absent }
            return columns[position]
        }
        set {
            guard let position = signal.columns.firstIndex(of: id) else { return }
            columns[position] = newValue
        }
    }

    /// Whether all arrays have the length that they should have; engines check it on what they are given.
    public var hasConsistentCounts: Bool {
        let count = times.count
        guard streamIndexes.count == count, ords.isEmpty || ords.count == count, columns.count == signal.columns.count else { return false }
        for (column, id) in zip(columns, signal.columns) {
            switch (column, id.kind) {
            case (.absent, _): continue
            case (.integers, .integer), (.doubles, .double), (.identifiers, .identifier), (.traceIDs, .traceID), (.bytes, .bytes):
                guard column.count == count else { return false }
            default: return false
            }
        }
        if let attributes, attributes.rowCount != count { return false }
        return true
    }

    /// Bytes that the rows take in memory, roughly: what budgets reckon with.
    public var approximateByteCount: Int {
        var size = times.count * 12 + ords.count * 8 + streams.byteCount
        for column in columns {
            switch column {
            case .absent: break
            case .integers, .doubles, .identifiers: size += column.count * 8
            case .traceIDs: size += column.count * 16
            case .bytes(let values): size += values.bytes.count + values.count * 4
            }
        }
        if let attributes { size += attributes.heap.count + attributes.keyIndexes.count * 13 + attributes.rowCount * 4 }
        return size
    }

    /// Appends a row of another batch of the same signal, with the same columns present; the stream is found by its bytes.
    ///
    /// Slow beside whole-column work; for merges of few rows and for tests.
    public mutating func appendRow(_ row: Int, of other: ColumnBatch) {
        let stream = streams.intern(
            other.streams.descriptor(Int(other.streamIndexes[row])), id: other.streams.id(Int(other.streamIndexes[row])))
        streamIndexes.append(UInt32(stream))
        times.append(other.times[row])
        if !other.ords.isEmpty { ords.append(other.ords[row]) }
        for position in columns.indices {
            columns[position].append(row, of: other.columns[position])
        }
        if let attributes = other.attributes {
            self.attributes?.appendRow(row, of: attributes)
        }
    }
}

extension Column {
    /// Appends a value of a column of the same kind; a value of an absent column makes this one absent.
    mutating func append(_ row: Int, of other: Column) {
        // The payload is moved out and back, so that the array stays uniquely referenced and is not copied.
        switch (consume self, other) {
        case (.integers(var values), .integers(let source)):
            self = .absent
            values.append(source[row])
            self = .integers(values)
        case (.doubles(var values), .doubles(let source)):
            self = .absent
            values.append(source[row])
            self = .doubles(values)
        case (.identifiers(var values), .identifiers(let source)):
            self = .absent
            values.append(source[row])
            self = .identifiers(values)
        case (.traceIDs(var values), .traceIDs(let source)):
            self = .absent
            values.append(source[row])
            self = .traceIDs(values)
        case (.bytes(var values), .bytes(let source)):
            self = .absent
            values.append(row, of: source)
            self = .bytes(values)
        default:
            self = .absent
        }
    }
}

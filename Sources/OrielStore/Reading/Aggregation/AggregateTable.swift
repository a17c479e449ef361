public import OrielTelemetry

/// Measures by group, partial: tables of the parts of a plan merge into the table of the whole.
///
/// Only groups with rows are listed, in no order that means anything; without keys and rows the table is empty.
public struct AggregateTable: Sendable {
    public let signal: Signal
    public let aggregation: Aggregation
    /// The bucket's start, if there are buckets, and the values of the keys, each with its length before it.
    private var groups = KeyTable()
    /// Of each group one per measure.
    private var measures: [PartialMeasure] = []
    /// Of the streams that are keys.
    private var descriptors: [StreamID: [UInt8]] = [:]

    public init(_ aggregation: Aggregation, signal: Signal) {
        self.aggregation = aggregation
        self.signal = signal
    }

    /// The number of groups.
    public var count: Int { groups.count }

    /// Bytes in memory, roughly.
    public var approximateByteCount: Int {
        groups.keys.bytes.count + groups.count * 20 + measures.count * MemoryLayout<PartialMeasure>.stride
            + measures.reduce(0) { $0 + $1.heapByteCount } + descriptors.reduce(0) { $0 + 64 + $1.value.count }
    }

    /// What the rows of a group share: one value per key of the aggregation.
    public func key(of group: Int) -> [GroupValue] {
        let bytes = groups.keys.bytes.span.extracting(groups.keys.range(of: group))
        var values: [GroupValue] = []
        var offset = aggregation.timeBuckets == nil ? 0 : 8
        for _ in aggregation.keys {
            let count = Int(bytes.word(at: offset))
            values.append(GroupValue(encoded: bytes.extracting((offset + 8)..<(offset + 8 + count))))
            offset += 8 + count
        }
        return values
    }

    /// The start of the group's time bucket; `nil` when the aggregation has none.
    public func bucketStart(of group: Int) -> Timestamp? {
        guard aggregation.timeBuckets != nil else { return nil }
        let bytes = groups.keys.bytes.span.extracting(groups.keys.range(of: group))
        return Timestamp(nanoseconds: Int64(bitPattern: bytes.word(at: 0)))
    }

    /// A measure of a group, by its place in ``Aggregation/measures``.
    public func measure(_ index: Int, of group: Int) -> PartialMeasure {
        precondition(index < aggregation.measures.count)
        return measures[group * aggregation.measures.count + index]
    }

    /// Resource and scope, or labels, of a stream that is a group's key.
    public func descriptor(of stream: StreamID) -> StreamDescriptor? {
        guard let bytes = descriptors[stream] else { return nil }
        do {
            return try StreamDescriptor(encoded: bytes.span)
        } catch {
            // No decoder interns bytes that are no descriptor.
            return nil
        }
    }

    /// Adds a group's measures to what the table has of it.
    ///
    /// - Parameters:
    ///   - key: One value per key of the aggregation.
    ///   - bucketStart: Of the time bucket, if the aggregation has any.
    ///   - measures: One per measure of the aggregation, in its order.
    public mutating func add(key: [GroupValue], bucketStart: Timestamp?, measures: [PartialMeasure]) throws(StoreError) {
        precondition(key.count == aggregation.keys.count && measures.count == aggregation.measures.count)
        var bytes: [UInt8] = []
        if aggregation.timeBuckets != nil { bytes.append(word: UInt64(bitPattern: bucketStart?.nanoseconds ?? 0)) }
        for value in key { AggregateTable.append(value.encoded, to: &bytes) }
        try add(encodedKey: bytes.span, measures[...])
    }

    static func append(_ value: [UInt8], to key: inout [UInt8]) {
        key.append(word: UInt64(value.count))
        key.append(contentsOf: value)
    }

    mutating func add(encodedKey: Span<UInt8>, _ added: ArraySlice<PartialMeasure>) throws(StoreError) {
        let group = groups.intern(encodedKey)
        guard groups.count <= aggregation.groupLimit else { throw .tooManyGroups(limit: aggregation.groupLimit) }
        let width = aggregation.measures.count
        if group * width == measures.count {
            measures.append(contentsOf: added)
        } else {
            for (index, measure) in added.enumerated() { measures[group * width + index].merge(measure) }
        }
    }

    /// Notes what a stream is that is a group's key.
    public mutating func note(_ stream: StreamID, descriptor: [UInt8]) { descriptors[stream] = descriptor }

    /// Adds what another table of the same aggregation has found in other rows. Associative and commutative, but for the rounding of sums of doubles.
    public mutating func merge(_ other: AggregateTable) throws(StoreError) {
        precondition(signal == other.signal && aggregation == other.aggregation)
        let width = aggregation.measures.count
        let keys = other.groups.keys
        for group in 0..<keys.count {
            try add(encodedKey: keys.bytes.span.extracting(keys.range(of: group)), other.measures[(group * width)..<((group + 1) * width)])
        }
        descriptors.merge(other.descriptors) { own, _ in own }
    }
}

/// A measure of some of a group's rows.
public enum PartialMeasure: Hashable, Sendable {
    /// ``Aggregation/Measure/count`` and ``Aggregation/Measure/valueCount(_:)``.
    case count(Int64)
    case sum(NumericSum)
    case minimum(NumericExtreme)
    case maximum(NumericExtreme)
    /// `nil` when no row had a value.
    case first(TimedValue?)
    case last(TimedValue?)
    case distribution(ValueDistribution)

    /// The number that the measure comes to; `nil` when no row had a value, and for distributions.
    public var value: NumericValue? {
        switch self {
        case .count(let count): .int(count)
        case .sum(let sum): sum.value
        case .minimum(let extreme), .maximum(let extreme): extreme.value
        case .first(let value), .last(let value): value?.value
        case .distribution: nil
        }
    }

    /// Takes in the same measure of other rows of the group.
    public mutating func merge(_ other: PartialMeasure) {
        switch (self, other) {
        case (.count(let own), .count(let added)): self = .count(own + added)
        case (.sum(var own), .sum(let added)):
            own.merge(added)
            self = .sum(own)
        case (.minimum(var own), .minimum(let added)):
            own.merge(added)
            self = .minimum(own)
        case (.maximum(var own), .maximum(let added)):
            own.merge(added)
            self = .maximum(own)
        case (.first(let own), .first(let added)):
            if let added, own.map({ added.position.precedes($0.position, in: .time) }) ?? true { self = .first(added) }
        case (.last(let own), .last(let added)):
            if let added, own.map({ $0.position.precedes(added.position, in: .time) }) ?? true { self = .last(added) }
        case (.distribution(var own), .distribution(let added)):
            own.merge(added)
            self = .distribution(own)
        // Both come from one aggregation, which makes the same measure of every group.
        default: preconditionFailure("different measures")
        }
    }

    fileprivate var heapByteCount: Int {
        guard case .distribution(let distribution) = self else { return 0 }
        return (distribution.positive.count + distribution.negative.count) * MemoryLayout<ValueDistribution.Bucket>.stride
    }
}

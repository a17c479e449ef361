import OrielTelemetry

/// One key of an aggregation: gives rows the codes of their values.
struct GroupDimension: Sendable {
    private let key: Aggregation.Key
    private var coder = GroupCoder()
    /// By stream: the value that its rows have, or fall back to, and its code once a row has it.
    private var streamValues: [GroupValue] = []
    private var streamCodes: [UInt32] = []

    private static let noCode = UInt32.max

    init(_ key: Aggregation.Key) {
        self.key = key
    }

    /// Distinct values so far; every one is that of a row.
    var count: Int { coder.count }

    var byteCount: Int { coder.byteCount + streamCodes.count * (4 + MemoryLayout<GroupValue>.stride) }

    func value(ofCode code: Int) -> [UInt8] { coder.values.keys[code] }

    /// Whether all rows of a stream have the same value.
    func isDecidedByStream(_ signal: Signal) -> Bool {
        switch key {
        case .stream, .field(.resourceAttribute), .field(.scopeAttribute): true
        case .field(.anyAttribute): !signal.hasAttributes
        case .field(.time), .field(.column), .field(.attribute): false
        }
    }

    /// Learns of a stream; they come in the order of their numbers.
    mutating func add(_ id: StreamID, _ descriptor: StreamDescriptor?) {
        switch key {
        case .stream: streamValues.append(.stream(id))
        case .field(let field): streamValues.append(descriptor?.value(of: field).map { .value($0) } ?? .missing)
        }
        streamCodes.append(GroupDimension.noCode)
    }

    @inline(__always)
    mutating func code(ofStream local: Int) -> UInt32 {
        if streamCodes[local] == GroupDimension.noCode { streamCodes[local] = coder.code(of: streamValues[local]) }
        return streamCodes[local]
    }

    /// The codes of rows.
    ///
    /// - Parameter locals: The streams of the rows, where the key asks for them.
    mutating func fill(_ codes: inout [UInt32], _ rows: AggregatedRows, _ batch: ColumnBatch, _ locals: [UInt32]) {
        codes.removeAll(keepingCapacity: true)
        codes.reserveCapacity(rows.count)
        switch key {
        case .stream, .field(.resourceAttribute), .field(.scopeAttribute):
            for local in locals { codes.append(code(ofStream: Int(local))) }
        case .field(.time):
            let times = batch.times
            rows.forEach { codes.append(coder.code(integer: times[$0])) }
        case .field(.column(let id)): fill(&codes, rows, batch, column: id)
        case .field(.attribute(let key)): fill(&codes, rows, batch.attributes, key, locals: nil)
        case .field(.anyAttribute(let key)): fill(&codes, rows, batch.attributes, key, locals: locals)
        }
    }

    private mutating func fill(_ codes: inout [UInt32], _ rows: AggregatedRows, _ batch: ColumnBatch, column id: ColumnID) {
        switch batch[id] {
        case .absent: codes.append(contentsOf: repeatElement(coder.codeOfMissing(), count: rows.count))
        case .integers(let values): rows.forEach { codes.append(coder.code(integer: values[$0])) }
        case .doubles(let values): rows.forEach { codes.append(coder.code(double: values[$0])) }
        case .identifiers(let values): rows.forEach { codes.append(coder.code(spanID: values[$0])) }
        case .traceIDs(let values): rows.forEach { codes.append(coder.code(traceID: values[$0])) }
        case .bytes(let values):
            let bytes = values.bytes
            if id == .body, case .integers(let types) = batch[.bodyType] {
                let text = Int64(AttributeType.string.rawValue)
                rows.forEach { row in
                    let content = bytes.span.extracting(values.range(of: row))
                    codes.append(types[row] == text ? coder.code(text: content) : coder.code(of: .value(GroupDimension.body(types[row], content))))
                }
            } else if [.events, .links, .buckets].contains(id) {
                rows.forEach { codes.append(coder.code(of: .value(.bytes(values[$0])))) }
            } else {
                rows.forEach { codes.append(coder.code(text: bytes.span.extracting(values.range(of: $0)))) }
            }
        }
    }

    private static func body(_ type: Int64, _ content: Span<UInt8>) -> AttributeValue {
        if type == 0 { return .empty }
        do {
            return try AttributeValue(anyValue: content)
        } catch {
            // Reads as empty, as everywhere; no decoder lets such a body in.
            return .empty
        }
    }

    /// - Parameter locals: The streams whose values stand in where rows have none; `nil` when nothing does.
    private mutating func fill(_ codes: inout [UInt32], _ rows: AggregatedRows, _ attributes: AttributeTable?, _ key: String, locals: [UInt32]?) {
        let finder = attributes.flatMap { AttributeFinder($0, key: key) }
        var guess = 0
        rows.forEach { row in
            if let finder, let entry = finder.entry(of: row, &guess) {
                codes.append(coder.code(entry: entry, of: finder.table))
            } else if let locals {
                codes.append(code(ofStream: Int(locals[codes.count])))
            } else {
                codes.append(coder.codeOfMissing())
            }
        }
    }
}

/// Finds the entries of one key in a table of attributes.
struct AttributeFinder {
    let table: AttributeTable
    private let key: UInt32
    private let keyIndexes: [UInt32]

    /// `nil` when no row has the key.
    init?(_ table: AttributeTable, key: String) {
        guard let index = table.keys.index(of: key) else { return nil }
        self.table = table
        self.key = UInt32(index)
        keyIndexes = table.keyIndexes
    }

    /// The row's entry, or `nil`.
    ///
    /// - Parameter guess: Where in a row the key was last: producers send keys in the same order.
    @inline(__always)
    func entry(of row: Int, _ guess: inout Int) -> Int? {
        let entries = table.entries(of: row)
        var entry = entries.lowerBound &+ guess
        if entry < entries.upperBound, keyIndexes[entry] == key { return entry }
        entry = entries.lowerBound
        while entry < entries.upperBound, keyIndexes[entry] != key { entry &+= 1 }
        if entry == entries.upperBound { return nil }
        guess = entry &- entries.lowerBound
        return entry
    }
}

/// The time buckets of an aggregation.
struct BucketDimension: Sendable {
    private let buckets: TimeBuckets
    private let nanosecondsPerUnit: Int64
    private var starts = IntegerTable()
    /// The bucket of the last row: rows of a stream come in the order of time. `start <= time < end` says that a time lies in it.
    private var last: (start: Int64, end: Int64, code: UInt32) = (0, 0, 0)

    init(_ buckets: TimeBuckets, unit signal: Signal) {
        self.buckets = buckets
        nanosecondsPerUnit = signal.nanosecondsPerTimeUnit
    }

    var count: Int { starts.count }

    var byteCount: Int { starts.byteCount }

    func start(ofCode code: Int) -> Int64 { Int64(bitPattern: starts.keys[code]) }

    @inline(__always)
    private func nanoseconds(_ time: Int64) -> Int64 {
        nanosecondsPerUnit == 1 ? time : Timestamp(milliseconds: time).nanoseconds
    }

    @inline(__always)
    mutating func code(of time: Int64) -> UInt32 {
        let time = nanoseconds(time)
        if time >= last.start, time < last.end { return last.code }
        let start = buckets.start(of: Timestamp(nanoseconds: time)).nanoseconds
        let code = starts.intern(UInt64(bitPattern: start))
        // Where arithmetic saturates the end says too little, never too much.
        last = (start, start.addingSaturating(buckets.width), code)
        return code
    }

    func isOneBucket(_ times: ClosedRange<Int64>) -> Bool {
        buckets.start(of: Timestamp(nanoseconds: nanoseconds(times.lowerBound))) == buckets.start(of: Timestamp(nanoseconds: nanoseconds(times.upperBound)))
    }

    mutating func fill(_ codes: inout [UInt32], _ rows: AggregatedRows, _ times: [Int64]) {
        codes.removeAll(keepingCapacity: true)
        codes.reserveCapacity(rows.count)
        rows.forEach { codes.append(code(of: times[$0])) }
    }
}

/// The streams that an aggregation has met, numbered as they came, and what it needs to know of them.
struct AggregatedStreams: Sendable {
    /// Whether rows have to be told apart by stream.
    let areNeeded: Bool
    private let keepsDescriptors: Bool
    private let decodesDescriptors: Bool
    private var table = IntegerTable()
    private(set) var ids: [StreamID] = []
    private var descriptors: [[UInt8]] = []
    private var descriptorByteCount = 0
    /// For each measured field the numbers that the streams have, or that their rows fall back to.
    private(set) var numbers: [Field: [NumericValue?]] = [:]

    init(_ aggregation: Aggregation) {
        keepsDescriptors = aggregation.keys.contains(.stream)
        var needed = keepsDescriptors
        var decoded = false
        func isOfStream(_ field: Field) -> Bool {
            switch field {
            case .resourceAttribute, .scopeAttribute, .anyAttribute: true
            case .time, .column, .attribute: false
            }
        }
        for case .field(let field) in aggregation.keys where isOfStream(field) { decoded = true }
        for measure in aggregation.measures {
            if let field = measure.field, isOfStream(field) {
                decoded = true
                numbers[field] = []
            }
            switch measure {
            case .first, .last: needed = true
            case .count, .valueCount, .sum, .minimum, .maximum, .distribution: break
            }
        }
        decodesDescriptors = decoded
        areNeeded = needed || decoded
    }

    var byteCount: Int { table.byteCount + ids.count * (16 + numbers.count * 16) + descriptorByteCount + descriptors.count * 48 }

    /// The number of the stream of an element of `streamIndexes`. A new one must be described by ``add(_:)`` next.
    mutating func local(of index: UInt32) -> (local: UInt32, isNew: Bool) {
        let local = table.intern(UInt64(index))
        return (local, Int(local) == ids.count)
    }

    /// The descriptor, where anything asks for it.
    mutating func add(_ stream: Aggregator.Stream) -> StreamDescriptor? {
        ids.append(stream.id)
        if keepsDescriptors {
            descriptors.append(stream.descriptor)
            descriptorByteCount += stream.descriptor.count
        }
        guard decodesDescriptors else { return nil }
        var descriptor: StreamDescriptor?
        do {
            descriptor = try StreamDescriptor(encoded: stream.descriptor.span)
        } catch {
            // No decoder interns bytes that are no descriptor; such a stream has no values.
        }
        for field in numbers.keys {
            numbers[field]?.append(descriptor?.value(of: field).flatMap { NumericValue($0) })
        }
        return descriptor
    }

    /// Ids and descriptors of the streams that are keys.
    var keyDescriptors: Zip2Sequence<ArraySlice<StreamID>, [[UInt8]]> { zip(ids.prefix(descriptors.count), descriptors) }
}

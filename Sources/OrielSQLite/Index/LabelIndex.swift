import OrielStore
import OrielTelemetry

/// Which streams have which label or attribute with which value: an inverted index over the streams of a registry.
///
/// Series have their labels; scopes the attributes of resource and scope as text, and `otel.scope.name` and `otel.scope.version`, as `StreamMatcher` sees them. Values
/// are told apart by their bytes. A label costs a stream 4 to 8 bytes, a value that no other stream has about 60 besides its own.
struct LabelIndex {
    private struct Name {
        /// The pair that was added last, plus one; from it all pairs of the name are linked.
        var lastPair: UInt32 = 0
        /// The pair that a stream had last: the next one often has it too.
        var hint: Int = -1
        /// The stream that was added last, plus one: of a name that occurs twice the first value counts.
        var lastStream: UInt32 = 0
        /// Streams with a value that is not empty.
        var streamCount = 0
    }

    /// Streams below this number are in the index.
    private(set) var count: StreamReference = 0
    private var keys = KeyTable()
    private var names: [Name] = []
    /// Four bytes of the name's number, then the value.
    private var pairs = DistinctBytes()
    private var postings: [Postings] = []
    /// The pair of the same name before, plus one.
    private var previousPairs: [UInt32] = []
    private var scratch: [UInt8] = []

    private static let prefixBytes = 4

    init() {}

    // MARK: Adding

    /// Adds the next stream by its canonical descriptor.
    mutating func add(_ descriptor: Span<UInt8>) {
        defer { count += 1 }
        guard descriptor.count > 0 else { return }
        if descriptor[0] == StreamDescriptor.seriesMarker {
            addSeries(descriptor)
        } else {
            do {
                let scope = try StreamDescriptor(encoded: descriptor)
                for name in scope.names { add(Array(name.utf8).span, Array((scope.text(of: name) ?? "").utf8).span, hint: -1) }
            } catch {
                // Bytes that are no descriptor are never interned; such a stream has no labels.
            }
        }
    }

    private mutating func addSeries(_ descriptor: Span<UInt8>) {
        var reader = WireReader(start: 1, end: descriptor.count)
        var hint = -1
        do {
            while let tag = try reader.nextTag(in: descriptor) {
                guard tag.number == 1, tag.wireType == 2 else {
                    try reader.skip(tag, in: descriptor)
                    continue
                }
                let label = descriptor.extracting(try reader.lengthDelimited(in: descriptor))
                var fields = WireReader(start: 0, end: label.count)
                var name = 0..<0
                var value = 0..<0
                while let field = try fields.nextTag(in: label) {
                    switch (field.number, field.wireType) {
                    case (1, 2): name = try fields.lengthDelimited(in: label)
                    case (2, 2): value = try fields.lengthDelimited(in: label)
                    default: try fields.skip(field, in: label)
                    }
                }
                // The names of series that come together come in the same order.
                hint = add(label.extracting(name), label.extracting(value), hint: hint + 1)
            }
        } catch {
            // Bytes that are no descriptor are never interned; the labels before the fault are in the index.
        }
    }

    /// Adds a label of the stream whose number is ``count``.
    ///
    /// - Returns: The number of the name.
    @discardableResult
    private mutating func add(_ key: Span<UInt8>, _ value: Span<UInt8>, hint: Int) -> Int {
        let name = keys.intern(key, hint: hint)
        if name == names.count { names.append(Name()) }
        guard names[name].lastStream != count + 1 else { return name }
        names[name].lastStream = count + 1
        if !value.isEmpty { names[name].streamCount += 1 }
        var pair = names[name].hint
        if pair < 0 || !pairs.isEqual(pair, to: value, droppingFirst: LabelIndex.prefixBytes) {
            LabelIndex.write(name, value, to: &scratch)
            let key = scratch
            let hash = KeyTable.hash(of: key.span)
            if let known = pairs.index(of: key.span, hash: hash) {
                pair = known
            } else {
                pair = pairs.add(key.span, hash: hash)
                postings.append(Postings(count))
                previousPairs.append(names[name].lastPair)
                names[name].lastPair = UInt32(pair + 1)
                names[name].hint = pair
                return name
            }
            names[name].hint = pair
        }
        postings[pair].append(count)
        return name
    }

    private static func write(_ name: Int, _ value: Span<UInt8>, to bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: name >> shift)) }
        bytes.append(value)
    }

    // MARK: Matching

    /// The streams that pass.
    ///
    /// Equalities answer from their lists, the shortest first. What is left passes the inequalities and the conditions on a label being there at all, except those that are
    /// decided faster on a few descriptors than on the lists of a label with many values.
    ///
    /// - Parameter start: Only streams at or above it.
    /// - Returns: ascending, and matchers that are still to be decided.
    func references(matching matchers: [StreamMatcher], from start: StreamReference) -> (references: [StreamReference], undecided: [StreamMatcher]) {
        var included: [Int] = []
        var excluded: [Int] = []
        var byPresence: [(matcher: StreamMatcher, name: Int)] = []
        for matcher in matchers {
            let name = keys.index(of: matcher.name)
            switch (matcher.operation, matcher.value.isEmpty) {
            case (.equal, false):
                guard let name, let pair = pair(name, matcher.value) else { return ([], []) }
                included.append(pair)
            case (.notEqual, false):
                if let name, let pair = pair(name, matcher.value) { excluded.append(pair) }
            case (.equal, true):
                if let name { byPresence.append((matcher, name)) }
            case (.notEqual, true):
                guard let name else { return ([], []) }
                byPresence.append((matcher, name))
            }
        }
        included.sort { postings[$0].count < postings[$1].count }
        var found = included.first.map { postings[$0].references(from: start) } ?? (start < count ? Array(start..<count) : [])
        for pair in included.dropFirst() { found = postings[pair].select(found, keeping: true) }
        for pair in excluded { found = postings[pair].select(found, keeping: false) }
        var undecided: [StreamMatcher] = []
        for (matcher, name) in byPresence {
            if found.isEmpty { break }
            if found.count * 16 < names[name].streamCount {
                undecided.append(matcher)
            } else {
                let present = streams(with: name, from: start)
                found.removeAll { present.contains($0) != (matcher.operation == .notEqual) }
            }
        }
        return (found, undecided)
    }

    private func pair(_ name: Int, _ value: String) -> Int? {
        var bytes: [UInt8] = []
        LabelIndex.write(name, Array(value.utf8).span, to: &bytes)
        return pairs.index(of: bytes.span, hash: KeyTable.hash(of: bytes.span))
    }

    /// Streams that have a label with a value that is not empty.
    private func streams(with name: Int, from start: StreamReference) -> StreamSet {
        var set = StreamSet()
        forEachPair(of: name) { pair in
            guard pairs.count(of: pair) > LabelIndex.prefixBytes else { return }
            let list = postings[pair]
            for index in list.firstIndex(notBelow: start)..<list.count { set.insert(list[index]) }
        }
        return set
    }

    private func forEachPair(of name: Int, _ body: (Int) -> Void) {
        var next = names[name].lastPair
        while next != 0 {
            let pair = Int(next) - 1
            body(pair)
            next = previousPairs[pair]
        }
    }

    // MARK: Names and values

    /// The names that some streams have.
    func names(of set: StreamSet) -> [[UInt8]] {
        names.indices.filter { name in
            var next = names[name].lastPair
            while next != 0 {
                if postings[Int(next) - 1].meets(set) { return true }
                next = previousPairs[Int(next) - 1]
            }
            return false
        }.map { keys.keys[$0] }
    }

    /// The values, other than the empty one, that a name has in some streams.
    func values(of name: String, in set: StreamSet) -> [[UInt8]] {
        guard let name = keys.index(of: name) else { return [] }
        var values: [[UInt8]] = []
        forEachPair(of: name) { pair in
            if pairs.count(of: pair) > LabelIndex.prefixBytes, postings[pair].meets(set) {
                values.append(Array(pairs[pair].dropFirst(LabelIndex.prefixBytes)))
            }
        }
        return values
    }
}

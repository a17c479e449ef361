import OrielStore
import OrielTelemetry

/// Decides by stream: a plan's matchers and set of streams, each stream once.
struct StreamFilter {
    private let matchers: [StreamMatcher]
    private let streams: Set<StreamID>?
    private let range: ClosedRange<StreamID>?
    private let registry: StreamRegistry
    /// By reference: 0 undecided, 1 no, 2 yes.
    private var decisions: [UInt8] = []
    private var ids: [StreamReference: StreamID] = [:]

    init(matchers: [StreamMatcher], streams: Set<StreamID>? = nil, range: ClosedRange<StreamID>? = nil, registry: StreamRegistry) {
        self.matchers = matchers
        self.streams = streams
        self.range = range
        self.registry = registry
    }

    /// Whether every stream passes.
    var isTrivial: Bool { matchers.isEmpty && streams == nil && range == nil }

    mutating func allows(_ reference: StreamReference) -> Bool {
        let index = Int(reference)
        if index < decisions.count, decisions[index] != 0 { return decisions[index] == 2 }
        let decision = decide(reference)
        if index >= decisions.count {
            decisions.append(contentsOf: repeatElement(0, count: max(index + 1, decisions.count * 2) - decisions.count))
        }
        decisions[index] = decision ? 2 : 1
        return decision
    }

    /// The id of a stream, remembered: asking the registry takes a lock.
    mutating func id(of reference: StreamReference) -> StreamID {
        if let id = ids[reference] { return id }
        let id = registry.id(of: reference)
        ids[reference] = id
        return id
    }

    /// The ordinals that pass, ascending, of a container's references, which come in the order of their stream ids.
    mutating func ordinals(among references: [StreamReference]) -> [UInt32] {
        var candidates = references.indices
        if let range {
            let lower = firstIndex(of: references) { range.lowerBound <= $0 }
            candidates = lower..<max(lower, firstIndex(of: references) { range.upperBound < $0 })
        }
        return candidates.filter { allows(references[$0]) }.map { UInt32($0) }
    }

    /// Where in sorted references the ids begin for which a condition holds.
    private func firstIndex(of references: [StreamReference], _ isBehind: (StreamID) -> Bool) -> Int {
        var low = 0
        var high = references.count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(registry.id(of: references[middle])) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func decide(_ reference: StreamReference) -> Bool {
        if let range, !range.contains(registry.id(of: reference)) { return false }
        if let streams, !streams.contains(id(of: reference)) { return false }
        if matchers.isEmpty { return true }
        let bytes = registry.descriptor(of: reference)
        if bytes.first == StreamDescriptor.seriesMarker { return StreamFilter.matches(series: bytes.span, matchers) }
        guard let descriptor = registry.decodedDescriptor(of: reference) else { return false }
        return matchers.allSatisfy { $0.matches(descriptor) }
    }

    /// Matches the labels in their encoded form: a store has millions of series, and decoding each costs a string per label.
    private static func matches(series bytes: Span<UInt8>, _ matchers: [StreamMatcher]) -> Bool {
        for matcher in matchers {
            let isEqual = value(of: Array(matcher.name.utf8).span, in: bytes, equals: Array(matcher.value.utf8).span)
            if isEqual != (matcher.operation == .equal) { return false }
        }
        return true
    }

    /// Whether a label has a value; a missing label has the empty one.
    private static func value(of name: Span<UInt8>, in bytes: Span<UInt8>, equals value: Span<UInt8>) -> Bool {
        var reader = WireReader(start: 1, end: bytes.count)
        do throws(WireError) {
            while let tag = try reader.nextTag(in: bytes) {
                guard tag.number == 1, tag.wireType == 2 else {
                    try reader.skip(tag, in: bytes)
                    continue
                }
                let label = bytes.extracting(try reader.lengthDelimited(in: bytes))
                var fields = WireReader(start: 0, end: label.count)
                var isNamed = name.isEmpty
                var isEqual = value.isEmpty
                while let field = try fields.nextTag(in: label) {
                    switch (field.number, field.wireType) {
                    case (1, 2): isNamed = label.extracting(try fields.lengthDelimited(in: label)).isEqual(to: name)
                    case (2, 2): isEqual = label.extracting(try fields.lengthDelimited(in: label)).isEqual(to: value)
                    default: try fields.skip(field, in: label)
                    }
                }
                if isNamed { return isEqual }
            }
        } catch {
            // Bytes that are no descriptor are never interned; what could be read has no such label.
            return value.isEmpty
        }
        return value.isEmpty
    }
}

extension StreamRegistry {
    /// A stream's descriptor, or `nil` when its bytes are none (which no decoder interns).
    func decodedDescriptor(of reference: StreamReference) -> StreamDescriptor? {
        do {
            return try StreamDescriptor(encoded: descriptor(of: reference).span)
        } catch {
            return nil
        }
    }
}

import OrielStore
import OrielTelemetry

/// Decides by stream: a plan's matchers, set and range of streams. Which streams pass is found once from the label index, and again only for streams that are met later.
struct StreamFilter {
    private let matchers: [StreamMatcher]
    private let streams: Set<StreamID>?
    private let range: ClosedRange<StreamID>?
    private let registry: StreamRegistry
    /// The streams below `end` that pass matchers and set, as a set and ascending.
    private var allowed = StreamSet()
    private var references: [StreamReference] = []
    private var end: StreamReference = 0
    private var ids: [StreamReference: StreamID] = [:]

    init(matchers: [StreamMatcher], streams: Set<StreamID>? = nil, range: ClosedRange<StreamID>? = nil, registry: StreamRegistry) {
        self.matchers = matchers
        self.streams = streams
        self.range = range
        self.registry = registry
    }

    /// Whether every stream passes.
    var isTrivial: Bool { hasNoSet && range == nil }

    private var hasNoSet: Bool { matchers.isEmpty && streams == nil }

    mutating func allows(_ reference: StreamReference) -> Bool {
        if !hasNoSet {
            if reference >= end { update() }
            guard allowed.contains(reference) else { return false }
        }
        return range.map { $0.contains(id(of: reference)) } ?? true
    }

    /// The id of a stream, remembered: asking the registry takes a lock.
    mutating func id(of reference: StreamReference) -> StreamID {
        if let id = ids[reference] { return id }
        let id = registry.id(of: reference)
        ids[reference] = id
        return id
    }

    /// The ordinals that pass, ascending, of a container's references, which come in the order of their stream ids.
    ///
    /// Complexity: O(*n*) in the container's streams, or O(*m* log *n*) when few streams pass at all.
    mutating func ordinals(among candidates: [StreamReference]) -> [UInt32] {
        let places = range.map { registry.places(of: $0, in: candidates) } ?? candidates.indices
        if hasNoSet { return places.map { UInt32($0) } }
        if registry.count > Int(end) { update() }
        if references.count * 32 < places.count {
            return registry.places(of: references, in: candidates).filter { places.contains(Int($0)) }.sorted()
        }
        let allowed = allowed
        return places.filter { allowed.contains(candidates[$0]) }.map { UInt32($0) }
    }

    /// Decides on the streams that came since the last time.
    private mutating func update() {
        let found: [StreamReference]
        let start = end
        if let streams {
            end = StreamReference(registry.count)
            let chosen = registry.references(of: streams).filter { $0 >= start && $0 < end }.sorted()
            found = matchers.isEmpty ? chosen : registry.labels.select(chosen, matching: matchers, registry)
        } else {
            (found, end) = registry.labels.references(matching: matchers, from: start, registry)
        }
        for reference in found { allowed.insert(reference) }
        references += found
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

import OrielStore
import OrielTelemetry
import Synchronization

/// The label index of a registry, brought up to date when it is asked: noting a new stream costs nothing, and the first question after many new ones indexes them.
///
/// Complexity: O(*labels of new streams*) to begin with, about 1 µs a stream.
final class StreamLabels: Sendable {
    private let index = Mutex(LabelIndex())
    /// Streams that are copied out of the registry at a time.
    private static let batchCount = 1024

    init() {}

    /// Whether anything was asked so far.
    var isInUse: Bool { index.withLock { $0.count > 0 } }

    /// Indexes the streams that are not yet.
    func update(from registry: StreamRegistry) {
        index.withLock { StreamLabels.update(&$0, registry) }
    }

    private static func update(_ index: inout LabelIndex, _ registry: StreamRegistry) {
        while true {
            let descriptors = registry.descriptors(from: index.count, limit: batchCount)
            if descriptors.count == 0 { return }
            let bytes = descriptors.bytes.span
            for number in 0..<descriptors.count { index.add(bytes.extracting(descriptors.range(of: number))) }
        }
    }

    /// The streams from a reference on that match, ascending.
    ///
    /// - Returns: also the reference behind the last stream that was looked at.
    func references(
        matching matchers: [StreamMatcher], from start: StreamReference, _ registry: StreamRegistry
    ) -> (references: [StreamReference], end: StreamReference) {
        let (found, undecided, end) = index.withLock { index in
            StreamLabels.update(&index, registry)
            let (references, undecided) = index.references(matching: matchers, from: start)
            return (references, undecided, index.count)
        }
        return (undecided.isEmpty ? found : select(found, matching: undecided, registry), end)
    }

    /// Those of some streams that match, decided by their descriptors.
    func select(_ references: [StreamReference], matching matchers: [StreamMatcher], _ registry: StreamRegistry) -> [StreamReference] {
        references.filter { reference in
            guard let descriptor = registry.decodedDescriptor(of: reference) else { return false }
            return matchers.allSatisfy { $0.matches(descriptor) }
        }
    }

    /// The names of the labels and attributes of some streams, sorted by their bytes.
    func names(of set: StreamSet, _ registry: StreamRegistry) -> [String] {
        guard set.count > 0 else { return [] }
        let names = index.withLock { index in
            StreamLabels.update(&index, registry)
            return index.names(of: set)
        }
        return StreamLabels.texts(names)
    }

    /// The values that a name has in some streams, sorted by their bytes.
    func values(of name: String, in set: StreamSet, _ registry: StreamRegistry) -> [String] {
        guard set.count > 0 else { return [] }
        let values = index.withLock { index in
            StreamLabels.update(&index, registry)
            return index.values(of: name, in: set)
        }
        return StreamLabels.texts(values)
    }

    private static func texts(_ strings: [[UInt8]]) -> [String] {
        var texts = strings.map { String(repairing: $0.span) }
        texts.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        // Bytes that are no text may have become equal.
        var kept = 0
        for index in texts.indices where kept == 0 || !texts[kept - 1].utf8.elementsEqual(texts[index].utf8) {
            texts[kept] = texts[index]
            kept += 1
        }
        texts.removeLast(texts.count - kept)
        return texts
    }
}

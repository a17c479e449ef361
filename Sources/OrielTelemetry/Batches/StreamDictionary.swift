import Synchronization

/// Streams that come again and again, kept once: a decoder's memory of a client's series, which the batches that it makes point into, so that a known series costs
/// a batch four bytes instead of its labels.
///
/// Only grows. Whoever fills one bounds it and goes on with a new one; batches keep the old one alive as long as they need it.
public final class StreamDictionary: Sendable {
    /// What a store calls the streams, by index in the dictionary.
    private struct References {
        var owner: UInt64 = 0
        /// May be shorter than the dictionary; ``unknown`` where the store was not asked yet.
        var values: [UInt32] = []
    }

    /// No store calls a stream so.
    public static let unknown = UInt32.max

    private let table = Mutex(KeyTable())
    private let references = Mutex(References())

    public init() {}

    /// The index of a stream by its canonical descriptor, added when new.
    public func intern(_ descriptor: [UInt8]) -> Int {
        table.withLock { $0.intern(descriptor.span) }
    }

    public var count: Int { table.withLock { $0.count } }

    /// Bytes of all descriptors.
    public var byteCount: Int { table.withLock { $0.keys.bytes.count } }

    /// The canonical descriptor of a stream.
    public func descriptor(_ index: UInt32) -> [UInt8] {
        table.withLock { $0.keys[Int(index)] }
    }

    /// The canonical descriptors of some streams and their hashes; see ``KeyTable/hashes``.
    public func descriptors(_ indexes: [UInt32]) -> (descriptors: ByteColumn, hashes: [UInt64]) {
        table.withLock { table in
            var descriptors = ByteColumn()
            var hashes: [UInt64] = []
            hashes.reserveCapacity(indexes.count)
            for index in indexes {
                descriptors.append(Int(index), of: table.keys)
                hashes.append(table.hashes[Int(index)])
            }
            return (descriptors, hashes)
        }
    }

    /// What `owner` calls some streams, as it told by ``set(_:for:owner:)``; ``unknown`` where it did not.
    ///
    /// - Parameter owner: A number that no other store has. A dictionary remembers the names of one store.
    public func references(_ indexes: [UInt32], owner: UInt64) -> [UInt32] {
        references.withLock { references in
            guard references.owner == owner else { return Array(repeating: StreamDictionary.unknown, count: indexes.count) }
            let known = references.values.count
            return indexes.map { Int($0) < known ? references.values[Int($0)] : StreamDictionary.unknown }
        }
    }

    /// Notes what `owner` calls some streams; forgets the names of another owner.
    public func set(_ names: [UInt32], for indexes: [UInt32], owner: UInt64) {
        let count = count
        references.withLock { references in
            if references.owner != owner { references = References(owner: owner) }
            if references.values.count < count {
                references.values.append(contentsOf: repeatElement(StreamDictionary.unknown, count: count - references.values.count))
            }
            for (index, name) in zip(indexes, names) { references.values[Int(index)] = name }
        }
    }
}

/// Chunks in commit order, of which every commit publishes a new version: a version shares all but its last few chunks with those before and after it.
///
/// Copying and then changing a list costs O(*n* / 64) at either end, where an array would be copied whole: with small requests a store has tens of thousands of chunks.
struct ChunkList: RandomAccessCollection, Sendable {
    private static let groupSize = 64

    private final class Group: Sendable {
        let chunks: [BuilderChunk]

        init(_ chunks: [BuilderChunk]) {
            self.chunks = chunks
        }
    }

    /// Whole groups.
    private var groups: [Group] = []
    /// What follows the groups; fewer than a group.
    private var tail: [BuilderChunk] = []
    /// How many of the first group, or of the tail when there is none, are gone.
    private var dropped = 0

    init() {}

    init(_ chunks: some Sequence<BuilderChunk>) {
        for chunk in chunks { append(chunk) }
    }

    var startIndex: Int { 0 }
    var endIndex: Int { groups.count * ChunkList.groupSize + tail.count - dropped }

    subscript(index: Int) -> BuilderChunk {
        precondition(index >= 0, "a list has no chunk \(index)")
        let place = index + dropped
        let group = place / ChunkList.groupSize
        return group < groups.count ? groups[group].chunks[place % ChunkList.groupSize] : tail[place - groups.count * ChunkList.groupSize]
    }

    mutating func append(_ chunk: BuilderChunk) {
        tail.append(chunk)
        guard tail.count == ChunkList.groupSize else { return }
        groups.append(Group(tail))
        tail = []
    }

    mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "\(count) of \(self.count) chunks cannot be removed")
        dropped += count
        let whole = Swift.min(dropped / ChunkList.groupSize, groups.count)
        groups.removeFirst(whole)
        dropped -= whole * ChunkList.groupSize
        guard groups.isEmpty else { return }
        tail.removeFirst(dropped)
        dropped = 0
    }
}

extension ChunkList: ExpressibleByArrayLiteral {
    init(arrayLiteral chunks: BuilderChunk...) {
        self.init(chunks)
    }
}

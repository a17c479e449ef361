/// The streams that share something, ascending. The first needs no memory of its own: most values of most labels that tell streams apart have one.
struct Postings {
    private let first: StreamReference
    private var others: [StreamReference] = []

    init(_ first: StreamReference) {
        self.first = first
    }

    var count: Int { others.count + 1 }

    subscript(index: Int) -> StreamReference { index == 0 ? first : others[index - 1] }

    var last: StreamReference { others.last ?? first }

    /// - Parameter reference: Above all before it.
    mutating func append(_ reference: StreamReference) { others.append(reference) }

    /// The index of the first stream that is not below `reference`, at or behind `start`.
    func firstIndex(notBelow reference: StreamReference, from start: Int = 0) -> Int {
        var low = start
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < reference { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Those at or above `start`.
    func references(from start: StreamReference) -> [StreamReference] {
        let begin = firstIndex(notBelow: start)
        if begin == 0 { return [first] + others }
        return Array(others[(begin - 1)...])
    }

    /// Those of some ascending references that are in the list, or those that are not.
    ///
    /// Complexity: O(*m* log *n*) for few references, else O(*m* + *n*).
    func select(_ references: [StreamReference], keeping isKept: Bool) -> [StreamReference] {
        var selected: [StreamReference] = []
        var next = references.first.map { firstIndex(notBelow: $0) } ?? 0
        let searches = references.count * 16 < count
        for reference in references {
            if searches {
                next = firstIndex(notBelow: reference, from: next)
            } else {
                while next < count, self[next] < reference { next += 1 }
            }
            let isIn = next < count && self[next] == reference
            if isIn == isKept { selected.append(reference) }
        }
        return selected
    }

    /// Whether one of them is in a set.
    func meets(_ set: StreamSet) -> Bool {
        set.contains(first) || others.contains { set.contains($0) }
    }
}

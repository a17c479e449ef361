import OrielTelemetry

/// Finds streams of a list by their ids. It is fastest when they are asked for in the order of the ids, as scans deliver series.
struct StreamPlaces: Sendable {
    /// Ascending.
    private let ids: [StreamID]
    /// By position in `ids`, the places in the list; `nil` when these are the same.
    private let places: [Int]?
    /// The position that is likely asked for next.
    private var next = 0

    /// - Parameter list: Distinct ids.
    init(_ list: [StreamID]) {
        if zip(list, list.dropFirst()).allSatisfy({ $0 < $1 }) {
            ids = list
            places = nil
        } else {
            let order = list.indices.sorted { list[$0] < list[$1] }
            ids = order.map { list[$0] }
            places = order
        }
    }

    /// The place of a stream in the list. O(1) for the one behind the one before, else O(log *n*).
    mutating func place(of id: StreamID) -> Int? {
        var position = next
        if position >= ids.count || ids[position] != id {
            var high = ids.count
            position = 0
            while position < high {
                let middle = (position + high) / 2
                if ids[middle] < id { position = middle + 1 } else { high = middle }
            }
            guard position < ids.count, ids[position] == id else { return nil }
        }
        next = position + 1
        return places?[position] ?? position
    }
}

import OrielTelemetry

/// Sorted lists of trace ids, in which an id's place is its ordinal.
enum TraceOrdinals {
    /// All ids of some sorted lists, sorted, each once.
    static func union(_ lists: [[TraceID]]) -> [TraceID] {
        if lists.count == 1 { return lists[0] }
        var all: [TraceID] = []
        all.reserveCapacity(lists.reduce(0) { $0 + $1.count })
        for list in lists { all.append(contentsOf: list) }
        all.sort()
        var kept = 0
        for index in all.indices where index == 0 || all[index] != all[kept - 1] {
            all[kept] = all[index]
            kept += 1
        }
        all.removeLast(all.count - kept)
        return all
    }

    /// The ordinals of ids that are all in `list`; both are sorted.
    static func ordinals(of ids: [TraceID], among list: [TraceID]) -> [UInt32] {
        var ordinals: [UInt32] = []
        ordinals.reserveCapacity(ids.count)
        var start = 0
        for id in ids {
            let index = lowerBound(id, in: list, from: start)
            precondition(index < list.count && list[index] == id, "the list lacks an id of its own blocks")
            ordinals.append(UInt32(index))
            start = index
        }
        return ordinals
    }

    /// The ordinals of those of some ids that are in `list`; both are sorted.
    static func present(_ ids: [TraceID], among list: [TraceID]) -> [UInt32] {
        var ordinals: [UInt32] = []
        var start = 0
        for id in ids {
            start = lowerBound(id, in: list, from: start)
            if start < list.count, list[start] == id { ordinals.append(UInt32(start)) }
        }
        return ordinals
    }

    /// Calls `body` with the index of each of some ids that is in `list`, and its ordinal; both are sorted.
    static func findCommon(_ ids: [TraceID], _ range: Range<Int>, _ list: [TraceID], _ body: (Int, Int) -> Void) {
        var start = 0
        for index in range {
            start = lowerBound(ids[index], in: list, from: start)
            if start == list.count { return }
            if list[start] == ids[index] { body(index, start) }
        }
    }

    /// The first index from `start` on whose id is not below `id`: galloping, so that a walk over both lists is linear at worst.
    private static func lowerBound(_ id: TraceID, in list: [TraceID], from start: Int) -> Int {
        var step = 1
        var low = start
        var high = start
        while high < list.count, list[high] < id {
            low = high + 1
            high += step
            step *= 2
        }
        high = min(high, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

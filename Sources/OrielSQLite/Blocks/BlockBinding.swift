import OrielStore
import OrielTelemetry

/// What a block's local numbers stand for in the container that holds it: rewritten when the block is copied to another one.
struct BlockBinding: Hashable, Sendable {
    /// The container's ordinal of each local stream, ascending.
    var streams: [UInt32]
    /// The container's ordinal of each local trace id, ascending.
    var traces: [UInt32]

    /// The local numbers of those of some streams of the container that the block has, ascending; `nil` when all are wanted.
    ///
    /// Complexity: O(*n* log *m*) in the wanted streams and those of the block, or the other way round if these are fewer.
    func locals(ofStreams ordinals: [UInt32]?) -> [UInt32]? {
        guard let ordinals else { return nil }
        var locals: [UInt32] = []
        guard let least = streams.first, let greatest = streams.last else { return locals }
        let first = ordinals.firstIndex(notBelow: least)
        if (ordinals.count - first) * 8 > streams.count {
            var wanted = WantedStreams(ordinals)
            for (local, ordinal) in streams.enumerated() where wanted.contains(ordinal) { locals.append(UInt32(local)) }
            return locals
        }
        for ordinal in ordinals[first...] {
            if ordinal > greatest { break }
            let local = streams.firstIndex(notBelow: ordinal)
            if streams[local] == ordinal { locals.append(UInt32(local)) }
        }
        return locals
    }

    /// The local numbers of those of some traces that the block has. Both lists are sorted.
    func locals(ofTraces ordinals: [UInt32]) -> Set<Int64> {
        var locals: Set<Int64> = []
        for ordinal in ordinals {
            var low = 0
            var high = traces.count
            while low < high {
                let middle = (low + high) / 2
                if traces[middle] < ordinal { low = middle + 1 } else { high = middle }
            }
            if low < traces.count, traces[low] == ordinal { locals.insert(Int64(low)) }
        }
        return locals
    }
}

extension BlockHeader {
    /// What is resident of a block.
    ///
    /// - Parameters:
    ///   - streams: the ordinals of its streams in the container, ascending.
    ///   - followsPrevious: see the property.
    init(
        _ block: EncodedBlock, index: Int, streams: [UInt32], low: CommitSequence, high: CommitSequence, followsPrevious: Bool = false
    ) {
        let runs = block.directory.runs.runs
        self.init(
            index: index, rowCount: block.directory.rowCount, firstSlot: Slot(number: runs.first?.slot ?? 0),
            lastSlot: Slot(number: runs.last?.slot ?? 0), low: low, high: high, minimumTime: block.minimumTime, maximumTime: block.maximumTime,
            firstStream: streams.first ?? 0, lastStream: streams.last ?? 0, followsPrevious: followsPrevious)
    }
}

extension BlockDirectory {
    /// The runs with the container's ordinals.
    func streamRuns(_ binding: BlockBinding) -> [StreamRun] {
        runs.runs.map { StreamRun(ordinal: binding.streams[Int($0.stream)], rowCount: Int($0.rowCount)) }
    }

    /// The least and greatest value of a fixed column of integers, rows without a value counted as 0; `nil` for other columns.
    func integerBounds(_ column: ColumnID) -> ClosedRange<Int64>? {
        guard column.kind == .integer, signal.columns.contains(column) else { return nil }
        guard let position = position(of: .fixed(column)), let first = columns[position].pages.first else { return 0...0 }
        var least = first.minimum
        var greatest = first.maximum
        for page in columns[position].pages {
            least = min(least, page.minimum)
            greatest = max(greatest, page.maximum)
        }
        return least <= greatest ? least...greatest : nil
    }
}

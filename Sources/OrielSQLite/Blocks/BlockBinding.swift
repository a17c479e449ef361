import OrielStore
import OrielTelemetry

/// What a block's local numbers stand for in the container that holds it: rewritten when the block is copied to another one.
struct BlockBinding: Hashable, Sendable {
    /// The container's ordinal of each local stream, ascending.
    var streams: [UInt32]
    /// The container's ordinal of each local trace id, ascending.
    var traces: [UInt32]

    /// Which local streams are among some of the container's, ascending; `nil` when all are wanted.
    func areWanted(_ ordinals: [UInt32]?) -> [Bool]? {
        guard let ordinals else { return nil }
        var wanted = WantedStreams(ordinals)
        return streams.map { wanted.contains($0) }
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
    /// - Parameter streams: the ordinals of its streams in the container, ascending.
    init(_ block: EncodedBlock, index: Int, streams: [UInt32], low: CommitSequence, high: CommitSequence) {
        let runs = block.directory.runs
        self.init(
            index: index, rowCount: block.directory.rowCount, firstSlot: Slot(number: runs.first?.slot ?? 0),
            lastSlot: Slot(number: runs.last?.slot ?? 0), low: low, high: high, minimumTime: block.minimumTime, maximumTime: block.maximumTime,
            firstStream: streams.first ?? 0, lastStream: streams.last ?? 0)
    }
}

extension BlockDirectory {
    /// The runs with the container's ordinals.
    func streamRuns(_ binding: BlockBinding) -> [StreamRun] {
        runs.map { StreamRun(ordinal: binding.streams[$0.stream], rowCount: $0.rowCount) }
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

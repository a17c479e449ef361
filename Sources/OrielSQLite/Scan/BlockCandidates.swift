import OrielStore
import OrielTelemetry

/// Which rows of a block a scan has to look at, before anything of the block is read.
struct BlockCandidates: Sendable {
    /// Ordinals of streams in the container, ascending, of which only those in the block matter; `nil` for all.
    var streams: [UInt32]?
    /// Rows, ascending; `nil` for all.
    var rows: [Int]?

    /// All rows.
    init() {}

    init(streams: [UInt32]?, rows: [Int]?) {
        self.streams = streams
        self.rows = rows
    }

    /// The rows themselves, ascending; `nil` for all.
    ///
    /// - Parameter bounds: Of a metric's block rows outside may be left out, since times there are few: a vector serves many series.
    func resolve(_ container: any BlockContainer, _ header: BlockHeader, in bounds: Range<Int64>) throws(StoreError) -> [Int]? {
        let isInside = !container.signal.isMetric || bounds.contains(header.minimumTime) && bounds.contains(header.maximumTime)
        guard streams != nil || !isInside else { return rows }
        let found = try container.rows(ofBlock: header.index, streams: streams, in: isInside ? nil : bounds)
        let both = rows.map { BlockCandidates.intersect($0, found) } ?? found
        return both.count == header.rowCount ? nil : both
    }

    /// Leaves out rows that are not among some, which ascend.
    mutating func restrict(to found: [Int]) {
        rows = rows.map { BlockCandidates.intersect($0, found) } ?? found
    }

    private static func intersect(_ left: [Int], _ right: [Int]) -> [Int] {
        var shared: [Int] = []
        var next = 0
        for row in left {
            while next < right.count, right[next] < row { next += 1 }
            if next < right.count, right[next] == row { shared.append(row) }
        }
        return shared
    }
}

/// Walks a block's runs of streams beside a list of wanted ordinals.
struct WantedStreams {
    private let ordinals: [UInt32]?
    private var next = 0

    /// - Parameter ordinals: ascending; `nil` for all.
    init(_ ordinals: [UInt32]?) {
        self.ordinals = ordinals
    }

    /// Whether an ordinal is wanted. Within a slot they ascend, so that the last place is a good guess.
    mutating func contains(_ ordinal: UInt32) -> Bool {
        guard let ordinals else { return true }
        if next < ordinals.count, ordinals[next] < ordinal { next += 1 }
        if next < ordinals.count, ordinals[next] == ordinal { return true }
        let isBetween = (next == ordinals.count || ordinals[next] > ordinal) && (next == 0 || ordinals[next - 1] < ordinal)
        if isBetween { return false }
        next = ordinals.firstIndex(notBelow: ordinal)
        return next < ordinals.count && ordinals[next] == ordinal
    }
}

/// Rows of a block: all of them, or some in ascending order.
struct RowSelection {
    /// `nil` for all.
    let rows: [Int]?
    let rowCount: Int

    /// - Parameter rows: ascending, unique, below `rowCount`.
    init(_ rows: [Int]?, of rowCount: Int) {
        self.rows = rows
        self.rowCount = rowCount
    }

    var count: Int { rows?.count ?? rowCount }

    func row(_ index: Int) -> Int { rows?[index] ?? index }

    /// The rows themselves.
    var all: [Int] { rows ?? Array(0..<rowCount) }

    /// Which selected rows lie in `range`, as indexes into the selection, given that those before `start` lie before it.
    func indexes(in range: Range<Int>, from start: Int) -> Range<Int> {
        guard let rows else { return range }
        var low = start
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle] < range.upperBound { low = middle + 1 } else { high = middle }
        }
        return start..<low
    }
}

/// Values of some rows of a selection.
struct SparseValues<Value> {
    /// Indexes into the selection of the rows that have a value, ascending; `nil` when all have.
    var positions: [UInt32]?
    var values: [Value] = []
}

/// Finds a row's value among those of the rows that have one. Rows are asked for in ascending order.
struct PresenceRank {
    private let bitmap: [UInt64]
    private var word = 0
    /// Values before `word`.
    private var before = 0

    /// - Parameter bitmap: empty when all rows have a value.
    init(_ bitmap: [UInt64]) {
        self.bitmap = bitmap
    }

    /// The index of the value of `row`, or `nil` if it has none.
    mutating func index(of row: Int) -> Int? {
        guard !bitmap.isEmpty else { return row }
        while word < row >> 6 {
            before += bitmap[word].nonzeroBitCount
            word += 1
        }
        let bit = UInt64(1) << UInt64(row & 63)
        guard bitmap[word] & bit != 0 else { return nil }
        return before + (bitmap[word] & (bit - 1)).nonzeroBitCount
    }
}

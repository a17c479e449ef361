extension AttributeTable {
    /// A table of rows without attributes.
    init(emptyRows count: Int) {
        self.init()
        for _ in 0..<count { finishRow() }
    }
}

/// Columns by their content, defaults in place of an absent one. Kinds were checked by ``hasConsistentCounts``.
extension ColumnBatch {
    func integers(_ id: ColumnID) -> [Int64] {
        if case .integers(let values) = self[id] { values } else { Array(repeating: 0, count: count) }
    }

    func doubles(_ id: ColumnID) -> [Double] {
        if case .doubles(let values) = self[id] { values } else { Array(repeating: 0, count: count) }
    }

    func identifiers(_ id: ColumnID) -> [UInt64] {
        if case .identifiers(let values) = self[id] { values } else { Array(repeating: 0, count: count) }
    }

    func traceIDs(_ id: ColumnID) -> [TraceID] {
        if case .traceIDs(let values) = self[id] { values } else { Array(repeating: .zero, count: count) }
    }

    func bytes(_ id: ColumnID) -> ByteColumn {
        if case .bytes(let values) = self[id] { return values }
        guard case .bytes(let values) = Column(kind: .bytes, defaults: count) else { return ByteColumn() }
        return values
    }
}

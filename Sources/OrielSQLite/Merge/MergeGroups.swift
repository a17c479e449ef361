import OrielStore

/// A block of one of a merge's inputs.
struct MergeBlock: Hashable, Sendable {
    /// Which input; later ones hold later commits.
    var input: Int
    var header: BlockHeader
}

/// Blocks whose slots overlap: they are merged with each other and with nothing else.
struct MergeGroup: Hashable, Sendable {
    /// In the order of input and place in the file.
    var blocks: [MergeBlock]

    var rowCount: Int { blocks.reduce(0) { $0 + $1.header.rowCount } }

    /// Cuts the blocks of a merge into groups that follow each other in time.
    static func groups(_ blocks: [MergeBlock]) -> [MergeGroup] {
        var groups: [MergeGroup] = []
        var last: Slot?
        let sorted = blocks.sorted {
            ($0.header.firstSlot, $0.input, $0.header.index) < ($1.header.firstSlot, $1.input, $1.header.index)
        }
        for block in sorted {
            if let end = last, block.header.firstSlot <= end {
                groups[groups.count - 1].blocks.append(block)
                last = max(end, block.header.lastSlot)
            } else {
                groups.append(MergeGroup(blocks: [block]))
                last = block.header.lastSlot
            }
        }
        for index in groups.indices {
            groups[index].blocks.sort { ($0.input, $0.header.index) < ($1.input, $1.header.index) }
        }
        return groups
    }

    /// Whether the blocks are in the order of their rows as they stand: one block, or blocks of one file in which no rows had to be merged.
    ///
    /// - Parameter isSorted: whether the blocks of an input follow each other in row order; those of level 0 do not.
    func isSorted(_ isSorted: (Int) -> Bool) -> Bool {
        guard let first = blocks.first else { return true }
        return blocks.count == 1 || (isSorted(first.input) && blocks.allSatisfy { $0.input == first.input })
    }
}

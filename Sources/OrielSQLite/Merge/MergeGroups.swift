import OrielStore

/// A block of one of a merge's inputs.
struct MergeBlock: Hashable, Sendable {
    /// Which input; later ones hold later commits.
    var input: Int
    /// The blocks of an input with the same number ascend in row order.
    var chain = 0
    var header: BlockHeader

    /// The blocks of an input, in the order of the file.
    static func blocks(of segment: Segment, number: Int) -> [MergeBlock] {
        // From level 1 on all blocks of a file ascend. In level 0 those of one sealed run do.
        let isSorted = segment.description.level > 0
        var chain = 0
        return segment.blocks.map { header in
            if !isSorted, !header.followsPrevious { chain += 1 }
            return MergeBlock(input: number, chain: chain, header: header)
        }
    }
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

    /// The blocks in chains in each of which the rows ascend from block to block.
    var chains: [ArraySlice<MergeBlock>] {
        var chains: [ArraySlice<MergeBlock>] = []
        var start = 0
        for index in blocks.indices.dropFirst() where blocks[index].input != blocks[index - 1].input || blocks[index].chain != blocks[index - 1].chain {
            chains.append(blocks[start..<index])
            start = index
        }
        if start < blocks.count { chains.append(blocks[start...]) }
        return chains
    }
}

import OrielStore
import OrielTelemetry

/// A block of a damaged file: which of its rows read, and which of their columns.
struct SalvageBlock {
    /// Rows that lack the same columns.
    struct Part {
        /// Ascending.
        var rows: [Int]
        /// The damage that they share, as indexes into ``damages``.
        var damages: Set<Int> = []
    }

    /// What does not read.
    struct Damage {
        /// The column of the directory; `nil` when the rows are lost.
        var column: Int?
        var reason: String
    }

    let index: Int
    /// `nil` when the file's list of blocks does not read.
    let header: BlockHeader?
    let directory: BlockDirectory
    /// The file's ordinals of the local streams.
    let streams: [UInt32]
    /// The file's ordinals of the local traces; `nil` when that does not read.
    let traces: [UInt32]?
    private(set) var damages: [Damage] = []
    /// All rows, in the order of their first ones.
    private(set) var parts: [Part] = []
    /// Columns whose filters do not read.
    private(set) var damagedFilters: [Int] = []

    /// Reads everything that the block has.
    ///
    /// - Throws: Damage when no row of it can be read.
    init(_ index: Int, _ tables: SalvageTables, _ file: SalvageFile) throws(StoreError) {
        self.index = index
        header = tables.headers?[index]
        let bytes = try file.read(.directory(index))
        let directory = try file.decoding { () throws(ColumnError) in try BlockDirectory(encoded: bytes.span) }
        guard directory.signal == file.description.signal, directory.rowCount > 0, header.map({ $0.rowCount == directory.rowCount }) ?? true else {
            throw file.damage("the directory is not that of the block in the list")
        }
        self.directory = directory
        streams = try Self.streams(index, directory, tables, file)
        traces = try Self.traces(index, directory, tables, file)
        try check(tables, file)
    }

    /// The file's ordinals of a block's streams. A block with as many streams as the file has all of them.
    private static func streams(_ index: Int, _ directory: BlockDirectory, _ tables: SalvageTables, _ file: SalvageFile) throws(StoreError) -> [UInt32] {
        do throws(StoreError) {
            return try file.ordinals(.blockStreams(index), count: directory.streamCount)
        } catch {
            guard error.isDamage, tables.hasAllStreams, directory.streamCount == tables.streams.count else { throw error }
            return Array(0..<UInt32(directory.streamCount))
        }
    }

    /// The file's ordinals of a block's traces, also by the lists that say of each trace which blocks it is in.
    private static func traces(_ index: Int, _ directory: BlockDirectory, _ tables: SalvageTables, _ file: SalvageFile) throws(StoreError) -> [UInt32]? {
        do throws(StoreError) {
            return try file.ordinals(.blockTraces(index), count: directory.traceCount)
        } catch {
            guard error.isDamage else { throw error }
        }
        var found: [UInt32] = []
        do throws(StoreError) {
            for page in tables.tracePages.indices {
                let bytes = try file.read(.head(.traceBlocks, page))
                let lists = try file.decoding { () throws(ColumnError) in try TraceBlockList.decode(bytes.span, blockCount: tables.blockCount) }
                for trace in 0..<(lists.ends.count - 1) where lists.blocks[lists.ends[trace]..<lists.ends[trace + 1]].contains(index) {
                    found.append(UInt32(page * SegmentFormat.idsPerPage + trace))
                }
            }
        } catch {
            guard error.isDamage else { throw error }
            return nil
        }
        return found.count == directory.traceCount ? found : nil
    }

    // MARK: Checking

    private mutating func check(_ tables: SalvageTables, _ file: SalvageFile) throws(StoreError) {
        var classes = RowClasses(directory.rowCount)
        let traceColumn = directory.position(of: .fixed(.traceID))
        for position in directory.columns.indices {
            let damaged = try check(column: position, file, &classes)
            if position == traceColumn { try checkTraces(position, except: damaged, tables, file, &classes) }
        }
        let runs = directory.runs
        let lost = runs.runs.indices.filter { run in
            let ordinal = Int(streams[Int(runs[run].stream)])
            return ordinal >= tables.streams.count || tables.streams[ordinal] == nil
        }
        note(Damage(column: nil, reason: tables.streamDamage ?? "the streams of the rows are lost"), lost.map { runs.rows(of: $0) }, &classes)
        parts = classes.parts
    }

    /// Notes the rows of traces whose ids are lost.
    private mutating func checkTraces(
        _ position: Int, except damaged: [Range<Int>], _ tables: SalvageTables, _ file: SalvageFile, _ classes: inout RowClasses
    ) throws(StoreError) {
        guard let traces else {
            return note(Damage(column: position, reason: "which traces they belong to does not read"), [0..<directory.rowCount], &classes)
        }
        let lost = Set(traces.indices.filter { tables.traceID(traces[$0]) == nil }.map { Int64($0) })
        guard !lost.isEmpty else { return }
        var isDamaged = [Bool](repeating: false, count: directory.rowCount)
        for range in damaged {
            for row in range { isDamaged[row] = true }
        }
        let rows = isDamaged.indices.filter { !isDamaged[$0] }
        let storage = SalvageStorage(file: file, tables: tables, block: index, columns: Array(directory.columns.indices), traces: traces)
        var reader = BlockReader(directory, storage)
        let numbers: SparseValues<Int64>
        do throws(StoreError) {
            numbers = try reader.integers(position, RowSelection(rows, of: directory.rowCount))
        } catch {
            guard error.isDamage else { throw error }
            return note(Damage(column: position, reason: "\(error)"), [0..<directory.rowCount], &classes)
        }
        var found: [Range<Int>] = []
        for (place, number) in numbers.values.enumerated() where lost.contains(number) {
            let row = rows[numbers.positions.map { Int($0[place]) } ?? place]
            if let last = found.last, last.upperBound == row { found[found.count - 1] = last.lowerBound..<(row + 1) } else { found.append(row..<(row + 1)) }
        }
        note(Damage(column: position, reason: tables.traceDamage ?? "the ids of the traces are lost"), found, &classes)
    }

    /// - Returns: The rows of which the column does not read.
    private mutating func check(column position: Int, _ file: SalvageFile, _ classes: inout RowClasses) throws(StoreError) -> [Range<Int>] {
        let column = directory.columns[position]
        var data: [UInt8]?
        if let inline = column.inline {
            data = inline
        } else {
            do throws(StoreError) {
                data = try file.read(.column(block: index, column: position))
            } catch {
                // Parts of it may read.
                guard error.isDamage else { throw error }
            }
        }
        var damaged: [Range<Int>] = []
        var reason = ""
        func isIntact(_ range: Range<Int>) throws(StoreError) -> Bool {
            do throws(StoreError) {
                let part: ArraySlice<UInt8>
                if let data {
                    part = data[range.clamped(to: data.indices)]
                } else {
                    part = try file.read(.column(block: index, column: position), range)[...]
                }
                try file.check(page: part)
                return true
            } catch {
                guard error.isDamage else { throw error }
                reason = "\(error)"
                return false
            }
        }
        if column.dictionaryByteCount > 0, try !isIntact(0..<column.dictionaryByteCount) {
            damaged = column.pages.filter { $0.valueCount > 0 }.map { $0.firstRow..<($0.firstRow + $0.rowCount) }
        } else {
            for page in column.pages where try !isIntact(page.offset..<(page.offset + page.byteCount)) {
                damaged.append(page.firstRow..<(page.firstRow + page.rowCount))
            }
        }
        if column.name == .time, directory.signal.isMetric { damaged = rows(withTimesAt: damaged) }
        note(Damage(column: Self.mayBeMissing(column.name, directory.signal) ? position : nil, reason: reason), damaged, &classes)
        do throws(StoreError) {
            guard !column.filters.isEmpty else { return damaged }
            let bytes: [UInt8]
            if let inline = column.inlineFilters { bytes = inline } else { bytes = try file.read(.filters(block: index, column: position)) }
            try file.check(bytes, filtersOf: column)
        } catch {
            guard error.isDamage else { throw error }
            damagedFilters.append(position)
        }
        return damaged
    }

    /// The rows of a metric's block whose vectors of times lie at some places of the column of times.
    private func rows(withTimesAt places: [Range<Int>]) -> [Range<Int>] {
        guard !places.isEmpty else { return [] }
        let runs = directory.runs
        return runs.runs.indices.filter { run in
            let own = runs.places(ofVector: runs[run].vector)
            return places.contains { $0.overlaps(own) }
        }.map { runs.rows(of: $0) }
    }

    private mutating func note(_ damage: Damage, _ rows: [Range<Int>], _ classes: inout RowClasses) {
        guard !rows.isEmpty else { return }
        damages.append(damage)
        classes.add(damages.count - 1, to: rows)
    }

    /// Whether a row without its value in a column says nothing that is not so: a text, an attribute, an id can be missing, a number cannot, and the parent of a span
    /// without one would make it a root.
    private static func mayBeMissing(_ name: BlockColumnName, _ signal: Signal) -> Bool {
        switch name {
        case .time, .ord: false
        case .attribute, .rest: true
        // Without its type a body says nothing, and goes with it.
        case .fixed(.bodyType): true
        case .fixed(let id):
            switch id.kind {
            case .bytes, .traceID: signal.hasAttributes
            case .identifier: signal != .spans
            case .integer, .double: false
            }
        }
    }

    // MARK: What is lost

    /// The columns that a part lacks; `nil` when its rows are lost.
    func missingColumns(_ part: Part) -> Set<Int>? {
        var missing: Set<Int> = []
        for damage in part.damages {
            guard let column = damages[damage].column else { return nil }
            missing.insert(column)
        }
        let body = [ColumnID.body, .bodyType].compactMap { directory.position(of: .fixed($0)) }
        if !missing.isDisjoint(with: body) { missing.formUnion(body) }
        return missing
    }

    /// Whether everything of the block is as it was written.
    var isWhole: Bool { damages.isEmpty && damagedFilters.isEmpty && traces != nil }
}

/// Sorts the rows of a block by what is damaged of them.
private struct RowClasses {
    private var classOfRow: [UInt32]
    private var classes: [Set<Int>] = [[]]
    private var numbers: [Set<Int>: UInt32] = [[]: 0]

    init(_ rowCount: Int) {
        classOfRow = Array(repeating: 0, count: rowCount)
    }

    mutating func add(_ damage: Int, to ranges: [Range<Int>]) {
        var next: [UInt32: UInt32] = [:]
        for row in ranges.joined() {
            let old = classOfRow[row]
            if let known = next[old] {
                classOfRow[row] = known
                continue
            }
            let members = classes[Int(old)].union([damage])
            let number: UInt32
            if let known = numbers[members] {
                number = known
            } else {
                number = UInt32(classes.count)
                numbers[members] = number
                classes.append(members)
            }
            next[old] = number
            classOfRow[row] = number
        }
    }

    var parts: [SalvageBlock.Part] {
        var parts: [SalvageBlock.Part] = []
        var places: [UInt32: Int] = [:]
        for (row, number) in classOfRow.enumerated() {
            if let place = places[number] {
                parts[place].rows.append(row)
            } else {
                places[number] = parts.count
                parts.append(SalvageBlock.Part(rows: [row], damages: classes[Int(number)]))
            }
        }
        return parts
    }
}

/// What a damaged block's pages are read from: of the directory some columns are left out, and trace ids that are lost are none.
struct SalvageStorage: BlockStorage {
    let file: SalvageFile
    let tables: SalvageTables
    let block: Int
    /// The file's numbers of the columns that are left.
    let columns: [Int]
    /// The file's ordinals of the local traces.
    let traces: [UInt32]

    func read(column: Int, _ range: Range<Int>, into buffer: inout [UInt8]) throws(StoreError) {
        buffer = try file.read(.column(block: block, column: columns[column]), range)
    }

    func filter(_ kind: BlockFilter.Kind, column: Int) throws(StoreError) -> BlockFilter? { nil }

    func traceIDs(_ locals: [Int]) throws(StoreError) -> [TraceID] {
        locals.map { tables.traceID(traces[$0]) ?? .zero }
    }

    func damage(_ error: ColumnError, column: Int) -> StoreError { file.damage("block \(block), column \(columns[column]): \(error)") }
}

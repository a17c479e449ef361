import OrielStore
import OrielTelemetry

/// A block as a predicate asks for its rows: filters, bounds and dictionaries first, then only the columns and pages of the rows still in question.
struct BlockColumns<Storage: BlockStorage>: PredicateColumns, ~Copyable {
    typealias Failure = StoreError

    private let directory: BlockDirectory
    private var reader: BlockReader<Storage>
    let streamRuns: [(stream: UInt32, rows: Range<Int>)]

    /// - Parameter streams: what goes into `streamIndexes` for each local number of a stream.
    init(_ directory: BlockDirectory, _ storage: Storage, streams: [UInt32]) {
        self.directory = directory
        reader = BlockReader(directory, storage)
        var runs: [(stream: UInt32, rows: Range<Int>)] = []
        runs.reserveCapacity(directory.runs.count)
        for index in 0..<directory.runs.count { runs.append((streams[Int(directory.runs[index].stream)], directory.runs.rows(of: index))) }
        streamRuns = runs
    }

    var rowCount: Int { directory.rowCount }

    // MARK: Pruning

    mutating func canPass(_ test: LeafTest) throws(StoreError) -> Bool {
        switch test.field {
        case .time: return directory.position(of: .time).map { canPass(integers: $0, test) } ?? true
        case .column(let id):
            guard directory.signal.columns.contains(id) else { return false }
            switch id.kind {
            case .integer: return directory.integerBounds(id).map { test.canPass($0) } ?? true
            case .double, .identifier, .traceID: return true
            case .bytes:
                guard let requirement = test.requirement else { return true }
                // A column that is left out holds nothing but empty texts.
                guard let position = directory.position(of: .fixed(id)) else { return false }
                return try mayHold(position, requirement)
            }
        case .attribute(let key), .anyAttribute(let key): return try canPass(attribute: Array(key.utf8), test)
        case .resourceAttribute, .scopeAttribute: return true
        }
    }

    private func canPass(integers position: Int, _ test: LeafTest) -> Bool {
        directory.columns[position].pages.contains { $0.valueCount > 0 && $0.minimum <= $0.maximum && test.canPass($0.minimum...$0.maximum) }
    }

    private mutating func canPass(attribute key: [UInt8], _ test: LeafTest) throws(StoreError) -> Bool {
        for position in directory.columns.indices {
            guard case .attribute(key, let type) = directory.columns[position].name else { continue }
            switch type {
            case .int: if canPass(integers: position, test) { return true }
            case .bool, .double, .empty, .bytes:
                if test.requirement == nil { return true }
            case .string:
                guard let requirement = test.requirement else { return true }
                if try mayHold(position, requirement) { return true }
            case .array: return true
            case .map:
                guard let requirement = test.requirement, !requirement.looksIntoMaps else { return true }
            }
        }
        guard hasRest(key) else { return false }
        guard let requirement = test.requirement, !requirement.looksIntoMaps, let position = directory.position(of: .rest),
            let filter = try filter(.values, position)
        else { return true }
        return requirement.alternatives.contains { alternative in
            alternative.value.map { filter.mayContain(TextTokens.hash(key: key.span, value: $0.span)) } ?? true
        }
    }

    /// Whether the filters of a column of strings leave room for a text.
    private func mayHold(_ position: Int, _ requirement: TextRequirement) throws(StoreError) -> Bool {
        let column = directory.columns[position]
        if column.filters.isEmpty { return true }
        let values = requirement.alternatives.contains { $0.valueHash != nil } ? try filter(.values, position) : nil
        let tokens = requirement.alternatives.contains { !$0.tokens.isEmpty } ? try filter(.tokens, position) : nil
        return requirement.alternatives.contains { alternative in
            if let values, let hash = alternative.valueHash, !values.mayContain(hash) { return false }
            guard let tokens else { return true }
            return alternative.tokens.allSatisfy { tokens.mayContain($0) }
        }
    }

    /// A damaged filter has been noted, and rules nothing out.
    private func filter(_ kind: BlockFilter.Kind, _ position: Int) throws(StoreError) -> BlockFilter? {
        do throws(StoreError) {
            return try reader.storage.filter(kind, column: position)
        } catch  where error.isDamage {
            return nil
        }
    }

    private func hasRest(_ key: [UInt8]) -> Bool {
        let keys = directory.restKeys.bytes.span
        for index in 0..<directory.restKeys.count where keys.extracting(directory.restKeys.range(of: index)).isEqual(to: key.span) { return true }
        return false
    }

    // MARK: Selecting

    mutating func select(_ rows: [Int]?, _ test: LeafTest, needsLacking: Bool) throws(StoreError) -> (passing: [Int], lacking: [Int]) {
        let selection = RowSelection(rows, of: directory.rowCount)
        switch test.field {
        case .time:
            let times = try reader.times(selection)
            return (times.indices.filter { test.passes(integer: times[$0]) }.map { selection.row($0) }, [])
        case .column(let id):
            guard directory.signal.columns.contains(id) else { return ([], selection.all) }
            return (try select(column: id, selection, test), [])
        case .attribute(let key), .anyAttribute(let key): return try select(attribute: key, selection, test, needsLacking: needsLacking)
        case .resourceAttribute, .scopeAttribute: return ([], selection.all)
        }
    }

    private mutating func select(column id: ColumnID, _ selection: RowSelection, _ test: LeafTest) throws(StoreError) -> [Int] {
        if id == .body { return try select(bodies: selection, test) }
        if id.kind == .bytes { return try select(texts: id, selection, test) }
        if id.kind == .integer {
            guard let bounds = directory.integerBounds(id), test.canPass(bounds) else { return [] }
        }
        switch try reader.column(id, selection) {
        case .integers(let values): return values.indices.filter { test.passes(integer: values[$0]) }.map { selection.row($0) }
        case .doubles(let values): return values.indices.filter { test.passes(double: values[$0]) }.map { selection.row($0) }
        case .identifiers(let values): return values.indices.filter { test.passes(spanID: values[$0]) }.map { selection.row($0) }
        case .traceIDs(let values): return values.indices.filter { test.passes(traceID: values[$0]) }.map { selection.row($0) }
        case .bytes, .absent: return []
        }
    }

    /// A column of texts in which rows without a value have the empty text.
    private mutating func select(texts id: ColumnID, _ selection: RowSelection, _ test: LeafTest) throws(StoreError) -> [Int] {
        let emptyPasses = test.passes(text: [UInt8]().span)
        guard let position = directory.position(of: .fixed(id)) else { return emptyPasses ? selection.all : [] }
        let found = try strings(position, selection, test, needsPresence: emptyPasses)
        return rows(found, selection, othersPass: emptyPasses)
    }

    /// Bodies that are text, and others, which are encoded values.
    private mutating func select(bodies selection: RowSelection, _ test: LeafTest) throws(StoreError) -> [Int] {
        let text = Int64(AttributeType.string.rawValue)
        if directory.integerBounds(.bodyType) == text...text { return try select(texts: .body, selection, test) }
        guard case .integers(let types) = try reader.column(.bodyType, selection) else { return [] }
        let texts = types.indices.filter { types[$0] == text }.map { selection.row($0) }
        let others = types.indices.filter { types[$0] != text }
        let passing = texts.isEmpty ? [] : try select(texts: .body, RowSelection(texts, of: rowCount), test)
        guard !others.isEmpty else { return passing }
        guard case .bytes(let values) = try reader.column(.body, RowSelection(others.map { selection.row($0) }, of: rowCount)) else { return passing }
        var isPassing = [Bool](repeating: false, count: rowCount)
        for row in passing { isPassing[row] = true }
        let bytes = values.bytes.span
        for (index, other) in others.enumerated() {
            var value = AttributeValue.empty
            if types[other] != 0 {
                do {
                    value = try AttributeValue(anyValue: bytes.extracting(values.range(of: index)))
                } catch {
                    // Reads as empty, as everywhere; no decoder lets such a body in.
                    value = .empty
                }
            }
            if test.passes(value) { isPassing[selection.row(other)] = true }
        }
        return isPassing.indices.filter { isPassing[$0] }
    }

    /// What a test found in a column: indexes into a selection.
    private struct Found {
        var passing: [Int]
        /// Those that have a value; `nil` when all have.
        var present: [UInt32]?
    }

    /// - Parameter needsPresence: Whether `present` of the result is used when nothing passes; else it may then be `nil`.
    private mutating func strings(
        _ position: Int, _ selection: RowSelection, _ test: LeafTest, needsPresence: Bool
    ) throws(StoreError) -> Found {
        guard directory.columns[position].form == .dictionary else {
            let (positions, values) = try reader.strings(position, selection)
            return Found(passing: Self.places(test.indexes(in: values), positions), present: positions)
        }
        let dictionary = try reader.dictionary(position)
        let entries = test.indexes(in: dictionary)
        if entries.isEmpty, !needsPresence { return Found(passing: [], present: nil) }
        var passes = [Bool](repeating: false, count: dictionary.count)
        for entry in entries { passes[entry] = true }
        let codes = try reader.integers(position, selection)
        var passing: [Int] = []
        for (index, code) in codes.values.enumerated() {
            guard code >= 0, code < Int64(passes.count) else {
                throw reader.storage.damage(ColumnError(.malformed("code \(code) of a dictionary of \(passes.count)"), at: 0), column: position)
            }
            if passes[Int(code)] { passing.append(index) }
        }
        return Found(passing: Self.places(passing, codes.positions), present: codes.positions)
    }

    private static func places(_ indexes: [Int], _ positions: [UInt32]?) -> [Int] {
        guard let positions else { return indexes }
        return indexes.map { Int(positions[$0]) }
    }

    /// The rows that were found, and those without a value if these pass.
    private func rows(_ found: Found, _ selection: RowSelection, othersPass: Bool) -> [Int] {
        guard othersPass, let present = found.present else { return found.passing.map { selection.row($0) } }
        var isPassing = [Bool](repeating: true, count: selection.count)
        for position in present { isPassing[Int(position)] = false }
        for index in found.passing { isPassing[index] = true }
        return isPassing.indices.filter { isPassing[$0] }.map { selection.row($0) }
    }

    // MARK: Attributes

    private enum Mark: UInt8 {
        case lacking = 0
        case refused = 1
        case passing = 2
    }

    private mutating func select(
        attribute key: String, _ selection: RowSelection, _ test: LeafTest, needsLacking: Bool
    ) throws(StoreError) -> (passing: [Int], lacking: [Int]) {
        let bytes = Array(key.utf8)
        let positions = directory.columns.indices.filter { index in
            if case .attribute(bytes, _) = directory.columns[index].name { true } else { false }
        }
        if hasRest(bytes) { return try select(byTable: key, selection, test) }
        guard !positions.isEmpty else { return ([], needsLacking ? selection.all : []) }
        if positions.count == 1, !needsLacking {
            return (try attribute(positions[0], selection, test, needsPresence: false).passing.map { selection.row($0) }, [])
        }
        var marks = [Mark](repeating: .lacking, count: selection.count)
        for position in positions {
            let found = try attribute(position, selection, test, needsPresence: needsLacking)
            if needsLacking {
                if let present = found.present {
                    for index in present { marks[Int(index)] = .refused }
                } else {
                    for index in marks.indices where marks[index] == .lacking { marks[index] = .refused }
                }
            }
            for index in found.passing { marks[index] = .passing }
        }
        let passing = marks.indices.filter { marks[$0] == .passing }.map { selection.row($0) }
        guard needsLacking else { return (passing, []) }
        return (passing, marks.indices.filter { marks[$0] == .lacking }.map { selection.row($0) })
    }

    private mutating func attribute(
        _ position: Int, _ selection: RowSelection, _ test: LeafTest, needsPresence: Bool
    ) throws(StoreError) -> Found {
        guard case .attribute(_, let type) = directory.columns[position].name else { return Found(passing: [], present: []) }
        switch type {
        case .string: return try strings(position, selection, test, needsPresence: needsPresence)
        case .int:
            if !needsPresence, !canPass(integers: position, test) { return Found(passing: [], present: nil) }
            let values = try reader.integers(position, selection)
            return found(values) { test.passes(integer: $0) }
        case .bool:
            let (no, yes) = (test.passes(bool: false), test.passes(bool: true))
            return found(try reader.integers(position, selection)) { $0 == 0 ? no : yes }
        case .double: return found(try reader.doubles(position, selection)) { test.passes(double: $0) }
        case .empty:
            let passes = test.passes(.empty)
            return found(try reader.integers(position, selection)) { _ in passes }
        case .array, .map, .bytes:
            let (positions, values) = try reader.strings(position, selection)
            var table = AttributeTable()
            let key = table.intern([UInt8](repeating: 0, count: 1).span)
            let content = values.bytes.span
            for index in 0..<values.count {
                table.append(key: key, type: type, content: content.extracting(values.range(of: index)))
                table.finishRow()
            }
            let passing = (0..<values.count).filter { test.passes(table.value(ofEntry: $0)) }
            return Found(passing: Self.places(passing, positions), present: positions)
        }
    }

    private func found<Value>(_ values: SparseValues<Value>, _ passes: (Value) -> Bool) -> Found {
        Found(passing: Self.places(values.values.indices.filter { passes(values.values[$0]) }, values.positions), present: values.positions)
    }

    /// By whole attributes: where some values of the key lie in the column `rest`.
    private mutating func select(
        byTable key: String, _ selection: RowSelection, _ test: LeafTest
    ) throws(StoreError) -> (passing: [Int], lacking: [Int]) {
        let table = try reader.attributes(selection, .keys([key]))
        var passing: [Int] = []
        var lacking: [Int] = []
        for index in 0..<selection.count {
            if let entry = table.entries(of: index).last {
                if test.passes(table.value(ofEntry: entry)) { passing.append(selection.row(index)) }
            } else {
                lacking.append(selection.row(index))
            }
        }
        return (passing, lacking)
    }
}

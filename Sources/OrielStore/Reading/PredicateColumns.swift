public import OrielTelemetry

/// The rows of a block, as a predicate asks for them: column by column, and only for rows that are still in question.
public protocol PredicateColumns: ~Copyable {
    associatedtype Failure: Error

    var rowCount: Int { get }

    /// Which stream (an index that the evaluator's `descriptor` understands) which rows belong to, ascending and without gaps.
    var streamRuns: [(stream: UInt32, rows: Range<Int>)] { get }

    /// Whether a value of the test's field (time, a column, an attribute of the rows) may pass, by what is known without decoding. `false` is certain.
    mutating func canPass(_ test: LeafTest) throws(Failure) -> Bool

    /// Tests the field of some rows.
    ///
    /// - Parameters:
    ///   - rows: Ascending; `nil` for all.
    ///   - needsLacking: Whether the second part of the result is used; else it may be empty.
    /// - Returns: the rows whose value passes, and those that have no such field; both ascending.
    mutating func select(_ rows: [Int]?, _ test: LeafTest, needsLacking: Bool) throws(Failure) -> (passing: [Int], lacking: [Int])
}

/// What a leaf of a predicate asks of the values of its field: whether they let a row pass.
public struct LeafTest: Sendable {
    public let field: Field
    let test: ValueTest
    let wanted: Truth
    /// What a text must have to pass; `nil` when unknown.
    public let requirement: TextRequirement?

    init(field: Field, test: ValueTest, wanted: Truth) {
        self.field = field
        self.test = test
        self.wanted = wanted
        requirement = wanted == .yes ? test.textRequirement : nil
    }

    /// Whether some integer of a range passes.
    public func canPass(_ range: ClosedRange<Int64>) -> Bool { test.integers.canBe(wanted, in: range) }

    @inline(__always)
    public func passes(integer value: Int64) -> Bool { test.truth(integer: value) == wanted }

    public func passes(double value: Double) -> Bool { test.truth(double: value) == wanted }

    public func passes(bool value: Bool) -> Bool { test.truth(bool: value) == wanted }

    public func passes(text value: Span<UInt8>) -> Bool { test.truth(text: value) == wanted }

    public func passes(traceID value: TraceID) -> Bool { test.truth(traceID: value) == wanted }

    public func passes(spanID value: UInt64) -> Bool { test.truth(spanID: value) == wanted }

    public func passes(_ value: AttributeValue) -> Bool { test.truth(value) == wanted }

    /// The indexes of the texts that pass, ascending. Texts that are searched are searched as one.
    public func indexes(in values: ByteColumn) -> [Int] { test.indexes(in: values, wanted) }
}

extension PredicateEvaluator {
    /// Whether a row of a block may pass, by what is known of the block. `false` is certain.
    ///
    /// - Parameter descriptor: The stream of an index of the block's runs; see ``rows(_:of:descriptor:)``.
    public mutating func canPass<Columns: PredicateColumns & ~Copyable>(
        _ columns: inout Columns, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(Columns.Failure) -> Bool {
        try canPass(root, &columns, descriptor)
    }

    private mutating func canPass<Columns: PredicateColumns & ~Copyable>(
        _ node: Node, _ columns: inout Columns, _ descriptor: (UInt32) -> StreamDescriptor?
    ) throws(Columns.Failure) -> Bool {
        switch node {
        case .everything: return true
        case .nothing: return false
        case .and(let parts):
            for part in parts where try !canPass(part, &columns, descriptor) { return false }
            return true
        case .or(let parts):
            for part in parts where try canPass(part, &columns, descriptor) { return true }
            return false
        case .leaf(let index, let wanted):
            let leaf = leaves[index]
            switch leaf.field {
            case .resourceAttribute, .scopeAttribute: break
            case .time, .column, .attribute:
                if leaf.missing == wanted { return true }
                return try columns.canPass(tests[index])
            case .anyAttribute:
                if try columns.canPass(tests[index]) { return true }
            }
            for run in columns.streamRuns where streamTruth(leaf: index, run.stream, descriptor) == wanted { return true }
            return false
        }
    }

    /// Those of some rows of a block that pass, ascending.
    ///
    /// - Parameters:
    ///   - rows: Ascending; `nil` for all.
    ///   - descriptor: As for ``rows(_:of:descriptor:)``.
    public mutating func rows<Columns: PredicateColumns & ~Copyable>(
        _ rows: [Int]?, in columns: inout Columns, descriptor: (UInt32) -> StreamDescriptor?
    ) throws(Columns.Failure) -> [Int] {
        try select(root, rows, &columns, descriptor)
    }

    private mutating func select<Columns: PredicateColumns & ~Copyable>(
        _ node: Node, _ rows: [Int]?, _ columns: inout Columns, _ descriptor: (UInt32) -> StreamDescriptor?
    ) throws(Columns.Failure) -> [Int] {
        switch node {
        case .everything: return rows ?? Array(0..<columns.rowCount)
        case .nothing: return []
        case .and(let parts):
            var rows = rows
            for part in parts {
                if let rows, rows.isEmpty { break }
                rows = try select(part, rows, &columns, descriptor)
            }
            return rows ?? Array(0..<columns.rowCount)
        case .or(let parts):
            var passed: [Int] = []
            var rest = rows ?? Array(0..<columns.rowCount)
            for part in parts {
                if rest.isEmpty { break }
                let selected = try select(part, rest, &columns, descriptor)
                if selected.isEmpty { continue }
                rest = PredicateEvaluator.subtract(selected, from: rest)
                passed = passed.isEmpty ? selected : PredicateEvaluator.merge(passed, selected)
            }
            return passed
        case .leaf(let index, let wanted):
            let leaf = leaves[index]
            let lacking: [Int]?
            var passing: [Int] = []
            switch leaf.field {
            case .resourceAttribute, .scopeAttribute: lacking = rows
            case .time, .column, .attribute:
                let selected = try columns.select(rows, tests[index], needsLacking: leaf.missing == wanted)
                guard leaf.missing == wanted, !selected.lacking.isEmpty else { return selected.passing }
                return PredicateEvaluator.merge(selected.passing, selected.lacking)
            case .anyAttribute:
                var streamsPass = false
                for run in columns.streamRuns where !streamsPass { streamsPass = streamTruth(leaf: index, run.stream, descriptor) == wanted }
                let selected = try columns.select(rows, tests[index], needsLacking: streamsPass)
                guard streamsPass else { return selected.passing }
                passing = selected.passing
                lacking = selected.lacking
            }
            let others = rowsByStream(leaf: index, wanted, lacking, columns.streamRuns, descriptor)
            return passing.isEmpty ? others : PredicateEvaluator.merge(passing, others)
        }
    }

    /// Those of some rows whose stream gives a leaf the wanted truth.
    private mutating func rowsByStream(
        leaf index: Int, _ wanted: Truth, _ rows: [Int]?, _ runs: [(stream: UInt32, rows: Range<Int>)], _ descriptor: (UInt32) -> StreamDescriptor?
    ) -> [Int] {
        var kept: [Int] = []
        var next = 0
        for run in runs {
            if let rows, next == rows.count { break }
            let passes = streamTruth(leaf: index, run.stream, descriptor) == wanted
            if let rows {
                let start = next
                while next < rows.count, rows[next] < run.rows.upperBound { next += 1 }
                if passes { kept.append(contentsOf: rows[start..<next]) }
            } else if passes {
                kept.append(contentsOf: run.rows)
            }
        }
        return kept
    }
}

import OrielTelemetry

/// A predicate made ready to run over batches.
///
/// Negations are pushed down to the leaves (De Morgan's laws hold in three-valued logic), so that a selection only ever shrinks: each leaf keeps the rows for which it
/// is what is wanted, true or false, and drops those for which it is unknown. Leaves on resources, scopes and labels are decided once per stream and remembered;
/// attribute leaves look their key up once per batch.
///
/// Beyond the rules of ``Predicate``: texts compare by their bytes, `false` is less than `true`, NaN is unequal to everything. A value without content, bytes and maps
/// are a kind of their own. `contains` is false for a value that is no text; it looks into arrays and the values of maps. For metric streams labels stand in for
/// resource attributes. `otel.scope.name` and `otel.scope.version` count as scope attributes.
public struct PredicateEvaluator: Sendable {
    indirect enum Node: Sendable {
        case everything
        case nothing
        case and([Node])
        case or([Node])
        /// Index into ``leaves``, and the truth that lets a row pass.
        case leaf(Int, wanted: Truth)
    }

    struct Leaf: Sendable {
        var field: Field
        var test: ValueTest
        /// The truth for a row that lacks the field.
        var missing: Truth
    }

    let root: Node
    let leaves: [Leaf]
    /// What the predicate looks at besides time and stream: a scan decodes this first.
    public let requiredProjection: Projection
    /// Parallel to ``leaves``: what each asks of the values of its field. A leaf occurs once in the tree.
    let tests: [LeafTest]
    /// For each leaf that asks for something of the stream, its truth by stream index.
    var streamTruths: [[UInt32: Truth]]

    public init(_ predicate: Predicate) {
        var leaves: [Leaf] = []
        root = PredicateEvaluator.compile(predicate, wanted: .yes, &leaves)
        self.leaves = leaves
        var wanted = Array(repeating: Truth.yes, count: leaves.count)
        PredicateEvaluator.forEachLeaf(of: root) { wanted[$0] = $1 }
        tests = zip(leaves, wanted).map { LeafTest(field: $0.field, test: $0.test, wanted: $1) }
        var projection = Projection.positions
        var keys: Set<String> = []
        for leaf in leaves {
            switch leaf.field {
            case .column(let id):
                projection.columns.insert(id)
                if id == .body { projection.columns.insert(.bodyType) }
            case .attribute(let key), .anyAttribute(let key): keys.insert(key)
            case .time, .resourceAttribute, .scopeAttribute: break
            }
        }
        if !keys.isEmpty { projection.attributes = .keys(keys) }
        requiredProjection = projection
        streamTruths = Array(repeating: [:], count: leaves.count)
    }

    private static func forEachLeaf(of node: Node, _ body: (Int, Truth) -> Void) {
        switch node {
        case .everything, .nothing: break
        case .and(let parts), .or(let parts): for part in parts { forEachLeaf(of: part, body) }
        case .leaf(let index, let wanted): body(index, wanted)
        }
    }

    /// Whether every row passes.
    public var isAlwaysTrue: Bool {
        if case .everything = root { true } else { false }
    }

    /// Whether time and stream decide.
    public var needsOnlyPositions: Bool { requiredProjection == .positions }

    private static func compile(_ predicate: Predicate, wanted: Truth, _ leaves: inout [Leaf]) -> Node {
        switch predicate {
        case .all: return wanted == .yes ? .everything : .nothing
        case .not(let inner): return compile(inner, wanted: wanted == .yes ? .no : .yes, &leaves)
        case .and(let parts): return combine(parts, isAnd: wanted == .yes, wanted, &leaves)
        case .or(let parts): return combine(parts, isAnd: wanted == .no, wanted, &leaves)
        case .compare(let field, let comparison, let literal, let missing):
            return leaf(field, ValueTest(comparison, literal), missing, wanted, &leaves)
        case .isOneOf(let field, let literals, let missing): return leaf(field, ValueTest(isOneOf: literals), missing, wanted, &leaves)
        case .contains(let field, let text, let caseSensitive, let missing):
            return leaf(field, ValueTest(contains: TextSearch(text, caseSensitive: caseSensitive)), missing, wanted, &leaves)
        case .containsWords(let field, let text, let caseSensitive, let missing):
            let search = TextSearch(text, caseSensitive: caseSensitive, wholeWords: true)
            return leaf(field, ValueTest(contains: search), missing, wanted, &leaves)
        case .exists(let field): return leaf(field, .exists, .isFalse, wanted, &leaves)
        }
    }

    private static func combine(_ parts: [Predicate], isAnd: Bool, _ wanted: Truth, _ leaves: inout [Leaf]) -> Node {
        var nodes: [Node] = []
        for part in parts {
            let node = compile(part, wanted: wanted, &leaves)
            switch node {
            case .everything:
                if !isAnd { return .everything }
            case .nothing:
                if isAnd { return .nothing }
            case .and(let inner) where isAnd: nodes += inner
            case .or(let inner) where !isAnd: nodes += inner
            default: nodes.append(node)
            }
        }
        if nodes.isEmpty { return isAnd ? .everything : .nothing }
        if nodes.count == 1 { return nodes[0] }
        guard isAnd else { return .or(nodes) }
        return .and(nodes.map { (cost($0, leaves), $0) }.sorted { $0.0 < $1.0 }.map(\.1))
    }

    /// What a node costs a row, roughly: cheap ones go first and save the others work.
    private static func cost(_ node: Node, _ leaves: [Leaf]) -> Int {
        switch node {
        case .everything, .nothing: 0
        case .and(let parts), .or(let parts): parts.reduce(0) { $0 + cost($1, leaves) }
        case .leaf(let index, _):
            switch leaves[index].field {
            case .time, .resourceAttribute, .scopeAttribute: 1
            case .column(let id): id.kind == .bytes ? 8 : 1
            case .attribute: 8
            case .anyAttribute: 10
            }
        }
    }

    private static func leaf(
        _ field: Field, _ test: ValueTest, _ missing: Predicate.MissingRule, _ wanted: Truth, _ leaves: inout [Leaf]
    ) -> Node {
        let truth: Truth
        switch missing {
        case .unknown: truth = .unknown
        case .isFalse: truth = .no
        case .isTrue: truth = .yes
        case .asEmptyString: truth = test.truth(text: [UInt8]().span)
        }
        leaves.append(Leaf(field: field, test: test, missing: truth))
        return .leaf(leaves.count - 1, wanted: wanted)
    }

    /// Whether a row can pass when some fields are known to lie in a range.
    ///
    /// - Parameter bounds: The range of `.time` or of an integer column, `nil` when unknown.
    public func canPass<Failure: Error>(bounds: (Field) throws(Failure) -> ClosedRange<Int64>?) throws(Failure) -> Bool {
        try canPass(root, bounds)
    }

    private func canPass<Failure: Error>(_ node: Node, _ bounds: (Field) throws(Failure) -> ClosedRange<Int64>?) throws(Failure) -> Bool {
        switch node {
        case .everything: return true
        case .nothing: return false
        case .and(let parts):
            for part in parts where try !canPass(part, bounds) { return false }
            return true
        case .or(let parts):
            for part in parts where try canPass(part, bounds) { return true }
            return false
        case .leaf(let index, let wanted):
            let leaf = leaves[index]
            switch leaf.field {
            case .time: break
            case .column(let id) where id.kind == .integer: break
            default: return true
            }
            guard let range = try bounds(leaf.field) else { return true }
            return leaf.test.integers.canBe(wanted, in: range)
        }
    }
}

import OrielTelemetry

/// The spans of a trace in the order in which a waterfall shows them.
struct SpanTree {
    struct Node {
        /// Index into the trace's spans.
        var span: Int
        var depth: Int
        /// Whether further siblings follow, for each level from the first below the root to the node's own.
        var hasNextSibling: [Bool]
        var hasChildren: Bool
        /// Names a parent that is not there.
        var isOrphan: Bool
    }

    private(set) var nodes: [Node] = []

    /// Levels that are indented; deeper ones stand below each other.
    static let maximumIndentation = 24

    /// Roots and spans whose parent is missing come first, by start; children by start below their parents. Spans that are their own ancestors stand alone.
    init(_ spans: [SpanRow]) {
        var positions: [String: Int] = [:]
        for (index, span) in spans.enumerated() {
            if let id = span.spanID, positions[id] == nil { positions[id] = index }
        }
        var children: [[Int]] = Array(repeating: [], count: spans.count)
        var roots: [Int] = []
        for (index, span) in spans.enumerated() {
            if let parent = span.parentSpanID, let position = positions[parent], position != index {
                children[position].append(index)
            } else {
                roots.append(index)
            }
        }
        let byStart = { (left: Int, right: Int) in (spans[left].start.value, left) < (spans[right].start.value, right) }
        var isPlaced = Array(repeating: false, count: spans.count)
        func place(_ starts: [Int]) {
            var open: [Node] = starts.sorted(by: byStart).reversed().map { index in
                Node(span: index, depth: 0, hasNextSibling: [], hasChildren: false, isOrphan: spans[index].parentSpanID != nil)
            }
            while var node = open.popLast() {
                guard !isPlaced[node.span] else { continue }
                isPlaced[node.span] = true
                let below = children[node.span].filter { !isPlaced[$0] }.sorted(by: byStart)
                node.hasChildren = !below.isEmpty
                nodes.append(node)
                for (position, child) in below.enumerated().reversed() {
                    let hasNext = position < below.count - 1
                    let levels = node.depth < SpanTree.maximumIndentation ? node.hasNextSibling + [hasNext] : node.hasNextSibling
                    open.append(Node(span: child, depth: node.depth + 1, hasNextSibling: levels, hasChildren: false, isOrphan: false))
                }
            }
        }
        place(roots)
        // What is left are circles: each is entered at its earliest span.
        for index in spans.indices.sorted(by: byStart) where !isPlaced[index] { place([index]) }
    }
}

extension SpanTree.Node {
    /// The guides in front of the span's own name.
    var guides: String {
        guard let last = hasNextSibling.last else { return "" }
        return hasNextSibling.dropLast().map { $0 ? "│  " : "   " }.joined() + (last ? "├─ " : "└─ ")
    }

    /// The guides in front of the lines below the span's name.
    var innerGuides: String {
        hasNextSibling.map { $0 ? "│  " : "   " }.joined() + (hasChildren ? "│  " : "   ")
    }
}

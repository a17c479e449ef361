public import OrielTelemetry

extension PredicateEvaluator {
    /// The rows of a batch that pass, ascending. The batch knows its streams.
    public func rows(of batch: ColumnBatch) -> [Int] {
        var evaluator = self
        evaluator.streamTruths = Array(repeating: [:], count: leaves.count)
        return evaluator.rows(nil, of: batch) { index in
            do {
                return try batch.streams.decoded(Int(index))
            } catch {
                // No decoder interns bytes that are no descriptor; such a stream has no attributes.
                return nil
            }
        }
    }

    /// Those of some rows of a batch that pass, ascending.
    ///
    /// - Parameters:
    ///   - rows: Ascending; `nil` for all.
    ///   - batch: With at least ``requiredProjection``. What is absent counts as missing.
    ///   - descriptor: The stream of an element of `streamIndexes`. It is asked once per leaf and stream as long as this value lives, so that an index must always
    ///     mean the same stream.
    public mutating func rows(_ rows: [Int]?, of batch: ColumnBatch, descriptor: (UInt32) -> StreamDescriptor?) -> [Int] {
        select(root, rows ?? Array(0..<batch.count), batch, descriptor)
    }

    private mutating func select(_ node: Node, _ rows: [Int], _ batch: ColumnBatch, _ descriptor: (UInt32) -> StreamDescriptor?) -> [Int] {
        switch node {
        case .everything: return rows
        case .nothing: return []
        case .and(let parts):
            var rows = rows
            for part in parts {
                if rows.isEmpty { break }
                rows = select(part, rows, batch, descriptor)
            }
            return rows
        case .or(let parts):
            var passed: [Int] = []
            var rest = rows
            for part in parts {
                if rest.isEmpty { break }
                let selected = select(part, rest, batch, descriptor)
                if selected.isEmpty { continue }
                rest = PredicateEvaluator.subtract(selected, from: rest)
                passed = passed.isEmpty ? selected : PredicateEvaluator.merge(passed, selected)
            }
            return passed
        case .leaf(let index, let wanted): return select(leaf: index, wanted, rows, batch, descriptor)
        }
    }

    private mutating func select(
        leaf index: Int, _ wanted: Truth, _ rows: [Int], _ batch: ColumnBatch, _ descriptor: (UInt32) -> StreamDescriptor?
    ) -> [Int] {
        let leaf = leaves[index]
        switch leaf.field {
        case .time: return select(integers: batch.times, leaf.test.integers, wanted, rows)
        case .column(let id): return select(column: id, leaf, wanted, rows, batch)
        case .attribute(let key):
            guard let table = batch.attributes else { return leaf.missing == wanted ? rows : [] }
            return select(attribute: key, of: table, leaf, wanted, rows) { _ in leaf.missing }
        case .resourceAttribute, .scopeAttribute:
            let streams = batch.streamIndexes
            return filter(rows) { streamTruth(leaf: index, streams[$0], descriptor) == wanted }
        case .anyAttribute(let key):
            let streams = batch.streamIndexes
            guard let table = batch.attributes else { return filter(rows) { streamTruth(leaf: index, streams[$0], descriptor) == wanted } }
            return select(attribute: key, of: table, leaf, wanted, rows) { streamTruth(leaf: index, streams[$0], descriptor) }
        }
    }

    private func select(integers values: [Int64], _ rule: IntegerRule, _ wanted: Truth, _ rows: [Int]) -> [Int] {
        switch rule {
        case .constant(let truth): return truth == wanted ? rows : []
        case .inside(let low, let high):
            let inside = wanted == .yes
            return filter(rows) { (values[$0] >= low && values[$0] <= high) == inside }
        case .outside(let low, let high):
            let inside = wanted == .no
            return filter(rows) { (values[$0] >= low && values[$0] <= high) == inside }
        case .set(let set):
            let contained = wanted == .yes
            return filter(rows) { set.contains(values[$0]) == contained }
        }
    }

    private func select(column id: ColumnID, _ leaf: Leaf, _ wanted: Truth, _ rows: [Int], _ batch: ColumnBatch) -> [Int] {
        let test = leaf.test
        switch batch[id] {
        case .absent: return leaf.missing == wanted ? rows : []
        case .integers(let values): return select(integers: values, test.integers, wanted, rows)
        case .doubles(let values): return filter(rows) { test.truth(double: values[$0]) == wanted }
        case .identifiers(let values): return filter(rows) { test.truth(spanID: values[$0]) == wanted }
        case .traceIDs(let values): return filter(rows) { test.truth(traceID: values[$0]) == wanted }
        case .bytes(let values):
            guard id == .body, case .integers(let types) = batch[.bodyType] else {
                if rows.count == batch.count { return test.indexes(in: values, wanted) }
                let bytes = values.bytes
                return filter(rows) { test.truth(text: bytes.span.extracting(values.range(of: $0))) == wanted }
            }
            let bytes = values.bytes
            let text = Int64(AttributeType.string.rawValue)
            return filter(rows) { row in
                let content = bytes.span.extracting(values.range(of: row))
                if types[row] == text { return test.truth(text: content) == wanted }
                if types[row] == 0 { return test.truth(.empty) == wanted }
                do {
                    return test.truth(try AttributeValue(anyValue: content)) == wanted
                } catch {
                    // Reads as empty, as everywhere; no decoder lets such a body in.
                    return test.truth(.empty) == wanted
                }
            }
        }
    }

    /// Rows by an attribute of their own, or by `fallback` where they lack it.
    private func select(
        attribute key: String, of table: AttributeTable, _ leaf: Leaf, _ wanted: Truth, _ rows: [Int], fallback: (Int) -> Truth
    ) -> [Int] {
        guard let keyIndex = table.keys.index(of: key).map({ UInt32($0) }) else { return filter(rows) { fallback($0) == wanted } }
        let keyIndexes = table.keyIndexes
        let types = table.types
        let payloads = table.payloads
        let heap = table.heap
        let test = leaf.test
        // Producers send keys in the same order, so the place in the row before is the first guess.
        var guess = 0
        return filter(rows) { row in
            let entries = table.entries(of: row)
            var entry = entries.lowerBound &+ guess
            if entry >= entries.upperBound || keyIndexes[entry] != keyIndex {
                entry = entries.lowerBound
                while entry < entries.upperBound, keyIndexes[entry] != keyIndex { entry &+= 1 }
                if entry == entries.upperBound { return fallback(row) == wanted }
                guess = entry &- entries.lowerBound
            }
            switch AttributeType(rawValue: types[entry]) {
            case .string: return test.truth(text: heap.span.extracting(table.heapRange(of: entry))) == wanted
            case .int: return test.truth(integer: Int64(bitPattern: payloads[entry])) == wanted
            case .double: return test.truth(double: Double(bitPattern: payloads[entry])) == wanted
            case .bool: return test.truth(bool: payloads[entry] != 0) == wanted
            case .empty, .bytes, .array, .map, nil: return test.truth(table.value(ofEntry: entry)) == wanted
            }
        }
    }

    /// The truth of a leaf for what a stream's rows share.
    mutating func streamTruth(leaf index: Int, _ stream: UInt32, _ descriptor: (UInt32) -> StreamDescriptor?) -> Truth {
        if let known = streamTruths[index][stream] { return known }
        let leaf = leaves[index]
        let truth = descriptor(stream).flatMap { $0.value(of: leaf.field) }.map { leaf.test.truth($0) } ?? leaf.missing
        streamTruths[index][stream] = truth
        return truth
    }

    @inline(__always)
    private func filter(_ rows: [Int], _ keep: (Int) -> Bool) -> [Int] {
        var kept: [Int] = []
        for row in rows where keep(row) { kept.append(row) }
        return kept
    }

    /// Both lists are ascending; `part` is contained in `rows`.
    static func subtract(_ part: [Int], from rows: [Int]) -> [Int] {
        var rest: [Int] = []
        rest.reserveCapacity(rows.count - part.count)
        var next = 0
        for row in rows {
            if next < part.count, part[next] == row { next += 1 } else { rest.append(row) }
        }
        return rest
    }

    /// Both lists are ascending and share nothing.
    static func merge(_ left: [Int], _ right: [Int]) -> [Int] {
        var merged: [Int] = []
        merged.reserveCapacity(left.count + right.count)
        var next = 0
        for row in left {
            while next < right.count, right[next] < row {
                merged.append(right[next])
                next += 1
            }
            merged.append(row)
        }
        merged.append(contentsOf: right[next...])
        return merged
    }
}

extension StreamDescriptor {
    /// The value that a predicate's field has for all rows of this stream, or `nil` when it has none.
    public func value(of field: Field) -> AttributeValue? {
        switch (self, field) {
        case (.series(let labels), .resourceAttribute(let key)), (.series(let labels), .anyAttribute(let key)):
            return labels.first { $0.name == key }.map { .string($0.value) }
        case (.scope(let resource, _), .resourceAttribute(let key)): return resource[key]
        case (.scope(_, let scope), .scopeAttribute(let key)): return scope.value(of: key)
        case (.scope(let resource, let scope), .anyAttribute(let key)): return scope.value(of: key) ?? resource[key]
        default: return nil
        }
    }
}

extension InstrumentationScope {
    fileprivate func value(of key: String) -> AttributeValue? {
        if let value = attributes.first(where: { $0.key == key })?.value { return value }
        switch key {
        case "otel.scope.name" where !name.isEmpty: return .string(name)
        case "otel.scope.version" where !version.isEmpty: return .string(version)
        default: return nil
        }
    }
}

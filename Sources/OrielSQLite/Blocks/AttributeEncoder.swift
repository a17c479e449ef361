import OrielCompression
import OrielTelemetry

/// Turns the attributes of rows into one column per key and type, and the column `rest`.
enum AttributeEncoder {
    /// The values of one key and type.
    private struct Values {
        var positions: [UInt32] = []
        var integers: [Int64] = []
        var doubles: [Double] = []
        var strings = ByteColumn()
    }

    private static let typeCount = AttributeType.allCases.count

    /// Appends the columns to `pager` and returns the keys that `rest` refers to.
    static func encode(_ batches: [ColumnBatch], _ keys: ArraySlice<SortKey>, into pager: inout ColumnPager) throws(CompressionError) -> ByteColumn {
        let tables = batches.map { $0.attributes ?? AttributeTable() }
        var names = KeyTable()
        // For each table the number of its keys among `names`.
        let numbers: [[Int]] = tables.map { table in
            (0..<table.keys.count).map { names.intern(table.keys.keys.bytes.span.extracting(table.keys.keys.range(of: $0))) }
        }
        guard names.count > 0 else { return ByteColumn() }

        var counts = [Int](repeating: 0, count: names.count * typeCount)
        for key in keys {
            let source = Int(key.source)
            guard tables[source].rowCount > 0 else { continue }
            for entry in tables[source].entries(of: Int(key.row)) {
                counts[numbers[source][Int(tables[source].keyIndexes[entry])] * typeCount + Int(tables[source].types[entry])] += 1
            }
        }
        var chosen = counts.indices.filter { counts[$0] > 0 }
        var restKeys = ByteColumn()
        // For each key its number in `rest`, or -1.
        var restNumbers = [Int](repeating: -1, count: names.count)
        if chosen.count > BlockEncoder.maximumAttributeColumns {
            chosen.sort { counts[$0] == counts[$1] ? $0 < $1 : counts[$0] > counts[$1] }
            for index in chosen[BlockEncoder.maximumAttributeColumns...] where restNumbers[index / typeCount] < 0 {
                restNumbers[index / typeCount] = restKeys.count
                restKeys.append(index / typeCount, of: names.keys)
            }
            chosen.removeLast(chosen.count - BlockEncoder.maximumAttributeColumns)
        }
        chosen.sort { left, right in
            if left / typeCount == right / typeCount { return left < right }
            let bytes = names.keys.bytes.span
            return bytes.extracting(names.keys.range(of: left / typeCount)).precedes(bytes.extracting(names.keys.range(of: right / typeCount)))
        }
        var places = [Int](repeating: -1, count: counts.count)
        var columns = [Values](repeating: Values(), count: chosen.count)
        for (place, index) in chosen.enumerated() {
            places[index] = place
            columns[place].positions.reserveCapacity(counts[index])
        }

        var restPositions: [UInt32] = []
        var restValues = ByteColumn()
        var restBytes: [UInt8] = []
        var restHashes: [UInt64] = []
        for (row, key) in keys.enumerated() {
            let source = Int(key.source)
            guard tables[source].rowCount > 0 else { continue }
            for entry in tables[source].entries(of: Int(key.row)) {
                let number = numbers[source][Int(tables[source].keyIndexes[entry])]
                let place = places[number * typeCount + Int(tables[source].types[entry])]
                guard place >= 0 else {
                    RestCoding.append(key: restNumbers[number], entry: entry, of: tables[source], to: &restBytes)
                    RestCoding.append(hashesOf: entry, of: tables[source], to: &restHashes)
                    continue
                }
                columns[place].positions.append(UInt32(row))
                switch AttributeType(rawValue: tables[source].types[entry]) ?? .empty {
                case .empty: columns[place].integers.append(0)
                case .bool, .int: columns[place].integers.append(Int64(bitPattern: tables[source].payloads[entry]))
                case .double: columns[place].doubles.append(Double(bitPattern: tables[source].payloads[entry]))
                case .string, .array, .map, .bytes:
                    let heap = tables[source].heap
                    columns[place].strings.append(heap.span.extracting(tables[source].heapRange(of: entry)))
                }
            }
            if !restBytes.isEmpty {
                restPositions.append(UInt32(row))
                restValues.append(restBytes.span)
                restBytes.removeAll(keepingCapacity: true)
            }
        }

        let rowCount = keys.count
        for (place, index) in chosen.enumerated() {
            let type = AttributeType(rawValue: UInt8(index % typeCount)) ?? .empty
            let name = BlockColumnName.attribute(key: names.keys[index / typeCount], type: type)
            let values = columns[place]
            let positions = values.positions.count == rowCount ? nil : values.positions
            switch type {
            case .empty, .bool, .int: try pager.append(name, integers: values.integers.span, positions: positions, rowCount: rowCount)
            case .double: try pager.append(name, doubles: values.doubles.span, positions: positions, rowCount: rowCount)
            case .string: try pager.append(name, strings: values.strings, positions: positions, rowCount: rowCount, filter: .attribute)
            case .array, .map, .bytes: try pager.append(name, strings: values.strings, positions: positions, rowCount: rowCount)
            }
        }
        if restValues.count > 0 {
            try pager.append(
                .rest, strings: restValues, positions: restPositions.count == rowCount ? nil : restPositions, rowCount: rowCount,
                filter: .hashes(restHashes))
        }
        return restKeys
    }
}

import OrielStore
import OrielTelemetry

extension BlockReader {
    /// The values of one attribute column, by the rows of the selection that have one.
    private struct AttributeValues {
        enum Content {
            case integers([Int64])
            case doubles([Double])
            case strings(ByteColumn)
        }

        var type: AttributeType
        /// The key's index in the table to be made, -1 for the column `rest`.
        var key: Int
        var positions: [UInt32]?
        var content: Content
    }

    /// The attributes of the selected rows, put together from their columns. The order within a row is that of the columns.
    mutating func attributes(_ selection: RowSelection, _ projection: Projection.AttributeProjection) throws(StoreError) -> AttributeTable {
        var wanted: Set<[UInt8]>?
        if case .keys(let keys) = projection { wanted = Set(keys.map { Array($0.utf8) }) }
        var table = AttributeTable()
        var columns: [AttributeValues] = []
        var restKeys: [Int] = []
        for position in directory.columns.indices {
            switch directory.columns[position].name {
            case .attribute(let key, let type):
                if let wanted, !wanted.contains(key) { continue }
                var values = try attribute(position, type, selection)
                values.key = table.intern(key.span)
                columns.append(values)
            case .rest:
                restKeys = (0..<directory.restKeys.count).map { index in
                    if let wanted, !wanted.contains(directory.restKeys[index]) { return -1 }
                    return table.intern(directory.restKeys.bytes.span.extracting(directory.restKeys.range(of: index)))
                }
                guard restKeys.contains(where: { $0 >= 0 }) else { continue }
                let strings = try strings(position, selection)
                columns.append(AttributeValues(type: .bytes, key: -1, positions: strings.positions, content: .strings(strings.values)))
            case .time, .ord, .fixed: continue
            }
        }
        let order = Self.entriesByRow(columns, rowCount: selection.count)
        for row in 0..<selection.count {
            for entry in order.ends[row]..<order.ends[row + 1] {
                let column = Int(order.columns[entry])
                let index = Int(order.values[entry])
                switch (columns[column].content, columns[column].type) {
                case (.integers(let values), .bool): table.append(key: columns[column].key, bool: values[index] != 0)
                case (.integers(let values), .int): table.append(key: columns[column].key, int: values[index])
                case (.integers, _): table.appendEmptyValue(key: columns[column].key)
                case (.doubles(let values), _): table.append(key: columns[column].key, double: values[index])
                case (.strings(let values), let type):
                    let content = values.bytes.span.extracting(values.range(of: index))
                    if columns[column].key >= 0 {
                        table.append(key: columns[column].key, type: type, content: content)
                    } else {
                        do {
                            try RestCoding.read(content, keys: restKeys, into: &table)
                        } catch {
                            throw storage.damage(error, column: directory.position(of: .rest) ?? 0)
                        }
                    }
                }
            }
            table.finishRow()
        }
        return table
    }

    private mutating func attribute(_ position: Int, _ type: AttributeType, _ selection: RowSelection) throws(StoreError) -> AttributeValues {
        switch type {
        case .empty, .bool, .int:
            let values = try integers(position, selection)
            return AttributeValues(type: type, key: 0, positions: values.positions, content: .integers(values.values))
        case .double:
            let values = try doubles(position, selection)
            return AttributeValues(type: type, key: 0, positions: values.positions, content: .doubles(values.values))
        case .string, .array, .map, .bytes:
            let values = try strings(position, selection)
            return AttributeValues(type: type, key: 0, positions: values.positions, content: .strings(values.values))
        }
    }

    /// For each row which values of which columns it has: a counting sort of all values by row, stable in the columns.
    private static func entriesByRow(_ columns: [AttributeValues], rowCount: Int) -> (ends: [Int], columns: [UInt32], values: [UInt32]) {
        var ends = [Int](repeating: 0, count: rowCount + 1)
        for column in columns {
            if let positions = column.positions {
                for position in positions { ends[Int(position) + 1] += 1 }
            } else {
                for row in 0..<rowCount { ends[row + 1] += 1 }
            }
        }
        for row in 0..<rowCount { ends[row + 1] += ends[row] }
        var next = ends
        var owners = [UInt32](repeating: 0, count: ends[rowCount])
        var values = owners
        for (number, column) in columns.enumerated() {
            let count = column.positions?.count ?? rowCount
            for index in 0..<count {
                let row = column.positions.map { Int($0[index]) } ?? index
                owners[next[row]] = UInt32(number)
                values[next[row]] = UInt32(index)
                next[row] += 1
            }
        }
        return (ends, owners, values)
    }
}

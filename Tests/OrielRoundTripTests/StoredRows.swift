import OrielOTLP
import OrielTelemetry

/// Rows as their bytes, and how often each is there: two of these are equal when no bit of any field differs. The order of attributes and of rows does not count.
struct StoredRows: Equatable {
    private(set) var counts: [[UInt8]: Int] = [:]

    var count: Int { counts.values.reduce(0, +) }

    mutating func add(_ group: OTLPScopeGroup<OTLPSpan>) {
        for row in group.rows {
            var row = row
            row.attributes = StoredRows.sorted(row.attributes)
            for index in row.events.indices { row.events[index].attributes = StoredRows.sorted(row.events[index].attributes) }
            for index in row.links.indices { row.links[index].attributes = StoredRows.sorted(row.links[index].attributes) }
            counts[OTLPEncoder.traces([StoredRows.group(group, row)]), default: 0] += 1
        }
    }

    mutating func add(_ group: OTLPScopeGroup<OTLPLogRecord>) {
        for row in group.rows {
            var row = row
            row.attributes = StoredRows.sorted(row.attributes)
            counts[OTLPEncoder.logs([StoredRows.group(group, row)]), default: 0] += 1
        }
    }

    /// What is in these rows more often than in others.
    func subtracting(_ other: StoredRows) -> [[UInt8]] {
        counts.filter { $0.value > other.counts[$0.key] ?? 0 }.map(\.key)
    }

    private static func group<Row>(_ group: OTLPScopeGroup<Row>, _ row: Row) -> OTLPScopeGroup<Row> {
        var resource = group.resource
        var scope = group.scope
        resource.attributes = sorted(resource.attributes)
        scope.attributes = sorted(scope.attributes)
        return OTLPScopeGroup(resource: resource, scope: scope, rows: [row])
    }

    private static func sorted(_ attributes: [Attribute]) -> [Attribute] {
        attributes.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }
    }
}

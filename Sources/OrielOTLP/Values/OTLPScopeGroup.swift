public import OrielTelemetry

/// Rows of one resource and scope: the unit from which requests are built.
public struct OTLPScopeGroup<Row: Sendable>: Sendable {
    public var resource: Resource
    public var scope: InstrumentationScope
    public var rows: [Row]

    public init(resource: Resource, scope: InstrumentationScope, rows: [Row]) {
        self.resource = resource
        self.scope = scope
        self.rows = rows
    }
}

extension OTLPScopeGroup: Equatable where Row: Equatable {}
extension OTLPScopeGroup: Hashable where Row: Hashable {}

public import OrielTelemetry

/// How telemetry says whose it is: by an attribute of its resource and, for metric series, a label.
public enum Tenancy {
    /// The resource attribute of spans and log records.
    public static let attribute = "oriel.tenant"
    /// The label of metric series. It is the same under every translation of metric names, so that no setting decides who sees what.
    public static let label = "oriel_tenant"

    /// What a stream of a tenant's passes and no other does.
    public static func matcher(_ signal: Signal, tenant: String) -> StreamMatcher {
        switch signal {
        case .spans, .logs: StreamMatcher(attribute, .equal, tenant)
        case .samples, .histograms, .exemplars: StreamMatcher(label, .equal, tenant)
        }
    }

    /// A stream as a tenant's: whatever it said about its tenant before is replaced.
    static func stamp(_ descriptor: StreamDescriptor, tenant: String) -> StreamDescriptor {
        switch descriptor {
        case .scope(var resource, let scope):
            // The last of two attributes with one key stays.
            resource = Resource(
                attributes: resource.attributes + [Attribute(attribute, .string(tenant))], droppedAttributesCount: resource.droppedAttributesCount,
                entityReferences: resource.entityReferences, schemaURL: resource.schemaURL)
            return .scope(resource, scope)
        case .series(let labels):
            return .series(unsorted: labels + [Label(label, tenant)])
        }
    }

    /// Whether a text can name a tenant: 1 to 128 ASCII letters, digits and `-_.:@/`. Nothing that could be spelled in two ways.
    public static func isValid(_ tenant: String) -> Bool {
        (1...128).contains(tenant.utf8.count)
            && tenant.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "-_.:@/".utf8.contains(byte)
                }
            }
    }
}

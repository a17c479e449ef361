import OrielTelemetry

/// The resources and scopes of a batch as JSON members, each written once however many rows share it.
struct StreamAnswer {
    private let streams: StreamTable
    private var encoded: [(resource: [UInt8], scope: [UInt8])?]
    private var services: [String]

    init(_ streams: StreamTable) {
        self.streams = streams
        encoded = Array(repeating: nil, count: streams.count)
        services = Array(repeating: "", count: streams.count)
    }

    /// `service.name` of a stream.
    mutating func service(of stream: Int) -> String {
        prepare(stream)
        return services[stream]
    }

    /// Writes the members `resource` and `scope` of a stream.
    mutating func writeMembers(of stream: Int, to writer: inout JSONWriter) {
        prepare(stream)
        guard let members = encoded[stream] else { return }
        writer.key("resource")
        writer.raw(members.resource.span)
        writer.key("scope")
        writer.raw(members.scope.span)
    }

    private mutating func prepare(_ stream: Int) {
        guard encoded[stream] == nil else { return }
        var resource = Resource()
        var scope = InstrumentationScope()
        do {
            if case .scope(let found, let foundScope) = try streams.decoded(stream) { (resource, scope) = (found, foundScope) }
        } catch {
            // Engines hand out the bytes that a decoder wrote; should they be damaged, the row is still shown, without its origin.
        }
        services[stream] = resource.serviceName
        var resourceWriter = JSONWriter()
        resourceWriter.resource(resource)
        var scopeWriter = JSONWriter()
        scopeWriter.scope(scope)
        encoded[stream] = (resourceWriter.bytes, scopeWriter.bytes)
    }
}

extension JSONWriter {
    mutating func resource(_ resource: Resource) {
        object { writer in
            writer.member("attributes", attributes: resource.attributes)
            writer.member("dropped_attributes_count", resource.droppedAttributesCount)
            writer.key("entity_refs")
            writer.array { writer in
                for reference in resource.entityReferences { writer.entityReference(reference.span) }
            }
            writer.member("schema_url", resource.schemaURL)
        }
    }

    mutating func scope(_ scope: InstrumentationScope) {
        object { writer in
            writer.member("name", scope.name)
            writer.member("version", scope.version)
            writer.member("attributes", attributes: scope.attributes)
            writer.member("dropped_attributes_count", scope.droppedAttributesCount)
            writer.member("schema_url", scope.schemaURL)
        }
    }

    /// OTLP's `EntityRef`: 1 schema URL, 2 type, 3 keys that identify, 4 keys that describe. What a decoder accepted cannot fail here.
    private mutating func entityReference(_ bytes: Span<UInt8>) {
        var schemaURL = ""
        var type = ""
        var idKeys: [String] = []
        var descriptionKeys: [String] = []
        var reader = WireReader(start: 0, end: bytes.count)
        do {
            while let tag = try reader.nextTag(in: bytes) {
                guard tag.wireType == 2 else {
                    try reader.skip(tag, in: bytes)
                    continue
                }
                let text = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
                switch tag.number {
                case 1: schemaURL = text
                case 2: type = text
                case 3: idKeys.append(text)
                case 4: descriptionKeys.append(text)
                default: break
                }
            }
        } catch {
            // The part before the damage is shown.
        }
        object { writer in
            writer.member("type", type)
            for (name, keys) in [("id_keys", idKeys), ("description_keys", descriptionKeys)] {
                writer.key(name)
                writer.array { writer in
                    for key in keys { writer.string(key) }
                }
            }
            writer.member("schema_url", schemaURL)
        }
    }
}

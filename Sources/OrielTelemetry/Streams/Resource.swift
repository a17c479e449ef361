/// What produced telemetry: OTLP's `Resource` and the schema URL beside it.
public struct Resource: Hashable, Sendable {
    /// Sorted by key; a key occurs once.
    public var attributes: [Attribute]
    public var droppedAttributesCount: UInt32
    /// The entities that the attributes describe, as OTLP `EntityRef` messages.
    public var entityReferences: [[UInt8]]
    public var schemaURL: String

    public init(attributes: [Attribute] = [], droppedAttributesCount: UInt32 = 0, entityReferences: [[UInt8]] = [], schemaURL: String = "") {
        self.attributes = attributes.canonical
        self.droppedAttributesCount = droppedAttributesCount
        self.entityReferences = entityReferences
        self.schemaURL = schemaURL
    }

    /// The value of an attribute, or `nil`.
    public subscript(key: String) -> AttributeValue? {
        attributes.first { $0.key == key }?.value
    }

    /// `service.name` when it is a string, else the empty string.
    public var serviceName: String {
        if case .string(let name) = self["service.name"] { name } else { "" }
    }
}

/// The library that recorded telemetry: OTLP's `InstrumentationScope` and the schema URL beside it.
public struct InstrumentationScope: Hashable, Sendable {
    public var name: String
    public var version: String
    /// Sorted by key; a key occurs once.
    public var attributes: [Attribute]
    public var droppedAttributesCount: UInt32
    public var schemaURL: String

    public init(name: String = "", version: String = "", attributes: [Attribute] = [], droppedAttributesCount: UInt32 = 0, schemaURL: String = "") {
        self.name = name
        self.version = version
        self.attributes = attributes.canonical
        self.droppedAttributesCount = droppedAttributesCount
        self.schemaURL = schemaURL
    }
}

extension [Attribute] {
    /// Sorted by the bytes of the key, of duplicate keys the last one.
    var canonical: [Attribute] {
        var byKey: [String: AttributeValue] = [:]
        for attribute in self { byKey[attribute.key] = attribute.value }
        return byKey.map { Attribute($0.key, $0.value) }.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }
}

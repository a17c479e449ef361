/// What all rows of a stream share, and what tells streams apart: a resource and a scope for spans and log records, the labels for samples.
///
/// The encoded form is canonical (equal descriptors have equal bytes), so that stores compare and hash bytes only. Its first byte tells the case; the rest is
/// protobuf: for ``scope(_:_:)`` 1 `Resource`, 2 `InstrumentationScope`, 3 the resource's and 4 the scope's schema URL; for ``series(_:)`` a field 1 per label with 1 name, 2 value.
public enum StreamDescriptor: Hashable, Sendable {
    case scope(Resource, InstrumentationScope)
    /// Labels sorted by the bytes of their names; a name occurs once; no empty values.
    case series([Label])

    /// The descriptor of a series: labels are sorted, empty values left out, of duplicate names the last one stays.
    public static func series(unsorted labels: [Label]) -> StreamDescriptor {
        var byName: [String: String] = [:]
        for label in labels { byName[label.name] = label.value }
        return .series(byName.filter { !$0.value.isEmpty }.map { Label($0.key, $0.value) }.sorted())
    }

    /// The canonical bytes.
    public var encoded: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .scope(let resource, let scope):
            writer.bytes.append(StreamDescriptor.scopeMarker)
            writer.messageField(1) { writer in
                writer.keyValues(1, resource.attributes)
                if resource.droppedAttributesCount != 0 { writer.varintField(2, UInt64(resource.droppedAttributesCount)) }
                for reference in resource.entityReferences { writer.bytesField(3, reference.span) }
            }
            writer.messageField(2) { writer in
                if !scope.name.isEmpty { writer.stringField(1, scope.name) }
                if !scope.version.isEmpty { writer.stringField(2, scope.version) }
                writer.keyValues(3, scope.attributes)
                if scope.droppedAttributesCount != 0 { writer.varintField(4, UInt64(scope.droppedAttributesCount)) }
            }
            if !resource.schemaURL.isEmpty { writer.stringField(3, resource.schemaURL) }
            if !scope.schemaURL.isEmpty { writer.stringField(4, scope.schemaURL) }
        case .series(let labels):
            writer.bytes.append(StreamDescriptor.seriesMarker)
            for label in labels {
                writer.messageField(1) { writer in
                    writer.stringField(1, label.name)
                    writer.stringField(2, label.value)
                }
            }
        }
        return writer.bytes
    }

    /// First byte of an encoded ``scope(_:_:)``.
    public static let scopeMarker: UInt8 = 0
    /// First byte of an encoded ``series(_:)``.
    public static let seriesMarker: UInt8 = 1

    /// Reads what ``encoded`` wrote.
    public init(encoded bytes: Span<UInt8>) throws(WireError) {
        guard bytes.count > 0 else { throw WireError(.truncated, offset: 0) }
        var reader = WireReader(start: 1, end: bytes.count)
        switch bytes[0] {
        case StreamDescriptor.scopeMarker:
            var resource = Resource()
            var scope = InstrumentationScope()
            while let tag = try reader.nextTag(in: bytes) {
                guard tag.wireType == 2 else {
                    try reader.skip(tag, in: bytes)
                    continue
                }
                let content = bytes.extracting(try reader.lengthDelimited(in: bytes))
                switch tag.number {
                case 1: try resource.read(content)
                case 2: try scope.read(content)
                case 3: resource.schemaURL = String(repairing: content)
                case 4: scope.schemaURL = String(repairing: content)
                default: break
                }
            }
            self = .scope(resource, scope)
        case StreamDescriptor.seriesMarker:
            var labels: [Label] = []
            var series = try SeriesLabelReader(bytes)
            while let label = try series.next(in: bytes) {
                labels.append(Label(String(repairing: bytes.extracting(label.name)), String(repairing: bytes.extracting(label.value))))
            }
            self = .series(labels)
        default:
            throw WireError(.invalidTag, offset: 0)
        }
    }
}

extension Resource {
    /// Reads the content of an OTLP `Resource` message. ``attributes`` come out canonical; the schema URL, which OTLP keeps beside the resource, stays.
    public mutating func read(_ bytes: Span<UInt8>) throws(WireError) {
        var attributes = self.attributes
        var reader = WireReader(start: 0, end: bytes.count)
        while let tag = try reader.nextTag(in: bytes) {
            switch (tag.number, tag.wireType) {
            case (1, 2): attributes.append(try Attribute(keyValue: bytes.extracting(try reader.lengthDelimited(in: bytes))))
            case (2, 0): droppedAttributesCount = UInt32(truncatingIfNeeded: try reader.varint(in: bytes))
            case (3, 2): entityReferences.append(bytes.extracting(try reader.lengthDelimited(in: bytes)).array)
            case (1...3, _): throw WireError(.unexpectedWireType, offset: reader.offset)
            default: try reader.skip(tag, in: bytes)
            }
        }
        self.attributes = attributes.canonical
    }
}

extension InstrumentationScope {
    /// Reads the content of an OTLP `InstrumentationScope` message, as ``Resource/read(_:)`` does.
    public mutating func read(_ bytes: Span<UInt8>) throws(WireError) {
        var attributes = self.attributes
        var reader = WireReader(start: 0, end: bytes.count)
        while let tag = try reader.nextTag(in: bytes) {
            switch (tag.number, tag.wireType) {
            case (1, 2): name = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
            case (2, 2): version = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
            case (3, 2): attributes.append(try Attribute(keyValue: bytes.extracting(try reader.lengthDelimited(in: bytes))))
            case (4, 0): droppedAttributesCount = UInt32(truncatingIfNeeded: try reader.varint(in: bytes))
            case (1...4, _): throw WireError(.unexpectedWireType, offset: reader.offset)
            default: try reader.skip(tag, in: bytes)
            }
        }
        self.attributes = attributes.canonical
    }
}

extension AttributeValue {
    /// How many arrays and maps may lie in one another, in what is read and in what is written.
    public static let maximumNesting = 64

    /// Reads the content of an OTLP `AnyValue` message.
    ///
    /// Strings are repaired where they are not valid UTF-8; of several values the last one counts, as protobuf demands; unknown fields are skipped.
    public init(anyValue bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(start: 0, end: bytes.count)
        self = try AttributeValue.anyValue(&reader, in: bytes, depth: 0)
    }

    /// Reads a value of a known type from its payload, as ``AttributeTable`` holds it: UTF-8 for a string, the bytes for bytes, the content of `ArrayValue`
    /// for an array and of `KeyValueList` for a map.
    public init(type: AttributeType, payload bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(start: 0, end: bytes.count)
        switch type {
        case .string: self = .string(String(repairing: bytes))
        case .bytes: self = .bytes(bytes.array)
        case .array: self = .array(try AttributeValue.arrayValue(&reader, in: bytes, depth: 1))
        case .map: self = .map(try AttributeValue.keyValueList(&reader, in: bytes, depth: 1))
        case .empty, .bool, .int, .double: self = .empty
        }
    }

    private static func anyValue(_ reader: inout WireReader, in bytes: Span<UInt8>, depth: Int) throws(WireError) -> AttributeValue {
        var value = AttributeValue.empty
        while let tag = try reader.nextTag(in: bytes) {
            switch (tag.number, tag.wireType) {
            case (1, 2):
                let range = try reader.lengthDelimited(in: bytes)
                value = .string(String(repairing: bytes.extracting(range)))
            case (2, 0): value = .bool(try reader.varint(in: bytes) != 0)
            case (3, 0): value = .int(Int64(bitPattern: try reader.varint(in: bytes)))
            case (4, 1): value = .double(Double(bitPattern: try reader.fixed64(in: bytes)))
            case (5, 2):
                let range = try reader.lengthDelimited(in: bytes)
                var inner = WireReader(start: range.lowerBound, end: range.upperBound)
                value = .array(try arrayValue(&inner, in: bytes, depth: depth + 1))
            case (6, 2):
                let range = try reader.lengthDelimited(in: bytes)
                var inner = WireReader(start: range.lowerBound, end: range.upperBound)
                value = .map(try keyValueList(&inner, in: bytes, depth: depth + 1))
            case (7, 2): value = .bytes(bytes.extracting(try reader.lengthDelimited(in: bytes)).array)
            case (1...7, _): throw WireError(.unexpectedWireType, offset: reader.offset)
            default: try reader.skip(tag, in: bytes)
            }
        }
        return value
    }

    private static func arrayValue(_ reader: inout WireReader, in bytes: Span<UInt8>, depth: Int) throws(WireError) -> [AttributeValue] {
        guard depth <= maximumNesting else { throw WireError(.nestingTooDeep(limit: maximumNesting), offset: reader.offset) }
        var elements: [AttributeValue] = []
        while let tag = try reader.nextTag(in: bytes) {
            guard tag.number == 1, tag.wireType == 2 else {
                try reader.skip(tag, in: bytes)
                continue
            }
            let range = try reader.lengthDelimited(in: bytes)
            var inner = WireReader(start: range.lowerBound, end: range.upperBound)
            elements.append(try anyValue(&inner, in: bytes, depth: depth))
        }
        return elements
    }

    private static func keyValueList(_ reader: inout WireReader, in bytes: Span<UInt8>, depth: Int) throws(WireError) -> [Attribute] {
        guard depth <= maximumNesting else { throw WireError(.nestingTooDeep(limit: maximumNesting), offset: reader.offset) }
        var attributes: [Attribute] = []
        while let tag = try reader.nextTag(in: bytes) {
            guard tag.number == 1, tag.wireType == 2 else {
                try reader.skip(tag, in: bytes)
                continue
            }
            let range = try reader.lengthDelimited(in: bytes)
            var inner = WireReader(start: range.lowerBound, end: range.upperBound)
            attributes.append(try keyValue(&inner, in: bytes, depth: depth))
        }
        return attributes
    }

    private static func keyValue(_ reader: inout WireReader, in bytes: Span<UInt8>, depth: Int) throws(WireError) -> Attribute {
        var attribute = Attribute("", .empty)
        while let tag = try reader.nextTag(in: bytes) {
            switch (tag.number, tag.wireType) {
            case (1, 2): attribute.key = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
            case (2, 2):
                let range = try reader.lengthDelimited(in: bytes)
                var inner = WireReader(start: range.lowerBound, end: range.upperBound)
                attribute.value = try anyValue(&inner, in: bytes, depth: depth)
            case (1...2, _): throw WireError(.unexpectedWireType, offset: reader.offset)
            default: try reader.skip(tag, in: bytes)
            }
        }
        return attribute
    }
}

extension Attribute {
    /// Reads the content of an OTLP `KeyValue` message, as ``AttributeValue/init(anyValue:)`` reads values.
    public init(keyValue bytes: Span<UInt8>) throws(WireError) {
        self = try Attribute.read(bytes)
    }

    private static func read(_ bytes: Span<UInt8>) throws(WireError) -> Attribute {
        var reader = WireReader(start: 0, end: bytes.count)
        var attribute = Attribute("", .empty)
        while let tag = try reader.nextTag(in: bytes) {
            switch (tag.number, tag.wireType) {
            case (1, 2): attribute.key = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
            case (2, 2): attribute.value = try AttributeValue(anyValue: bytes.extracting(try reader.lengthDelimited(in: bytes)))
            case (1...2, _): throw WireError(.unexpectedWireType, offset: reader.offset)
            default: try reader.skip(tag, in: bytes)
            }
        }
        return attribute
    }
}

extension WireWriter {
    /// Writes the content of an OTLP `AnyValue` message; what lies in more than ``AttributeValue/maximumNesting`` arrays and maps is left empty.
    public mutating func anyValue(_ value: AttributeValue, depth: Int = 0) {
        switch value {
        case .empty: break
        case .string(let text): stringField(1, text)
        case .bool(let flag): varintField(2, flag ? 1 : 0)
        case .int(let number): varintField(3, UInt64(bitPattern: number))
        case .double(let number): doubleField(4, number)
        case .array where depth >= AttributeValue.maximumNesting, .map where depth >= AttributeValue.maximumNesting: break
        case .array(let elements): messageField(5) { $0.arrayValue(elements, depth: depth + 1) }
        case .map(let attributes): messageField(6) { $0.keyValues(1, attributes, depth: depth + 1) }
        case .bytes(let bytes): bytesField(7, bytes.span)
        }
    }

    /// Writes the content of an OTLP `ArrayValue` message; `depth` counts the arrays and maps around its elements, itself included.
    public mutating func arrayValue(_ elements: [AttributeValue], depth: Int = 1) {
        for element in elements {
            messageField(1) { $0.anyValue(element, depth: depth) }
        }
    }

    /// Writes one `KeyValue` message field of the given number per attribute; `depth` counts the arrays and maps around the values.
    public mutating func keyValues(_ number: UInt32, _ attributes: [Attribute], depth: Int = 0) {
        for attribute in attributes {
            messageField(number) {
                $0.stringField(1, attribute.key)
                $0.messageField(2) { $0.anyValue(attribute.value, depth: depth) }
            }
        }
    }
}

extension JSONWriter {
    /// A value as JSON's own types: for people and for APIs that do not need to tell 1 from 1.0. Bytes become base64, an empty value
    /// `null`.
    public mutating func value(_ value: AttributeValue) {
        switch value {
        case .empty: null()
        case .string(let text): string(text)
        case .bool(let flag): bool(flag)
        case .int(let number): integer(number)
        case .double(let number): double(number)
        case .bytes(let content): base64(content.span)
        case .array(let elements):
            array { writer in
                for element in elements { writer.value(element) }
            }
        case .map(let attributes):
            object { writer in
                for attribute in attributes {
                    writer.key(attribute.key)
                    writer.value(attribute.value)
                }
            }
        }
    }

    /// A value with its type: OTLP/JSON's `AnyValue`, such as `{"intValue":"200"}`; an empty value is `{}`.
    public mutating func typedValue(_ value: AttributeValue) {
        object { writer in
            switch value {
            case .empty: break
            case .string(let text):
                writer.key("stringValue")
                writer.string(text)
            case .bool(let flag):
                writer.key("boolValue")
                writer.bool(flag)
            case .int(let number):
                writer.key("intValue")
                writer.quotedInteger(number)
            case .double(let number):
                writer.key("doubleValue")
                writer.double(number, keepsFraction: true)
            case .bytes(let content):
                writer.key("bytesValue")
                writer.base64(content.span)
            case .array(let elements):
                writer.key("arrayValue")
                writer.object { writer in
                    writer.key("values")
                    writer.array { writer in
                        for element in elements { writer.typedValue(element) }
                    }
                }
            case .map(let attributes):
                writer.key("kvlistValue")
                writer.object { writer in
                    writer.key("values")
                    writer.typedAttributes(attributes)
                }
            }
        }
    }

    /// Attributes as OTLP/JSON writes them: an array of `{"key":…,"value":{…}}`.
    public mutating func typedAttributes(_ attributes: [Attribute]) {
        array { writer in
            for attribute in attributes {
                writer.object { writer in
                    writer.key("key")
                    writer.string(attribute.key)
                    writer.key("value")
                    writer.typedValue(attribute.value)
                }
            }
        }
    }
}

import OrielTelemetry

extension JSONWriter {
    /// Two members for a moment: `name` in RFC 3339 UTC, `name_unix_nano` as text; both `null` without one.
    mutating func time(_ name: String, _ time: Timestamp?) {
        key(name)
        guard let time else {
            null()
            key(name + "_unix_nano")
            null()
            return
        }
        string(time)
        key(name + "_unix_nano")
        quotedInteger(time.nanoseconds)
    }

    /// A member with text.
    mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text)
    }

    mutating func member(_ name: String, _ number: some FixedWidthInteger) {
        key(name)
        integer(number)
    }

    mutating func member(_ name: String, attributes: [Attribute]) {
        key(name)
        typedAttributes(attributes)
    }

    /// An id in hexadecimal, `null` for none.
    mutating func member(_ name: String, _ id: TraceID) {
        key(name)
        if id.isZero { null() } else { string(id) }
    }

    /// An id in hexadecimal, `null` for none.
    mutating func member(_ name: String, _ id: SpanID) {
        key(name)
        if id.isZero { null() } else { string(id) }
    }

    /// Text, or `null`.
    mutating func member(_ name: String, optional text: String?) {
        key(name)
        if let text { string(text) } else { null() }
    }

    /// A number, or `null`.
    mutating func member(_ name: String, optional number: (some FixedWidthInteger)?) {
        key(name)
        if let number { integer(number) } else { null() }
    }

    mutating func member(_ name: String, _ flag: Bool) {
        key(name)
        bool(flag)
    }

    mutating func member(_ name: String, texts: [String]) {
        key(name)
        array { writer in
            for text in texts { writer.string(text) }
        }
    }

    /// A member with a list of objects, the members of each written by `members`.
    mutating func member<Element>(_ name: String, objects elements: some Sequence<Element>, _ members: (inout JSONWriter, Element) -> Void) {
        key(name)
        array { writer in
            for element in elements { writer.object { members(&$0, element) } }
        }
    }
}

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
        string(time.rfc3339)
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
}

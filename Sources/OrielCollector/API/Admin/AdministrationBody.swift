import OrielTelemetry

/// The body of a request that changes something: a JSON object whose members are named and mean what the query parameters of the API do. A member that may be repeated
/// there is a list here.
enum AdministrationBody {
    /// The members in order, an element of a list as a member of its own.
    ///
    /// - Parameter example: an object as it is expected, for who sent something else.
    static func members(_ body: [UInt8], example: String) throws(APIError) -> [(name: String, value: String)] {
        do throws(JSONError) {
            return try members(body)
        } catch {
            throw APIError(status: 400, "the body is not an object such as \(example): \(error)")
        }
    }

    private static func members(_ body: [UInt8]) throws(JSONError) -> [(name: String, value: String)] {
        let bytes = body.span
        var reader = JSONReader()
        var members: [(name: String, value: String)] = []
        try reader.beginObject(in: bytes)
        while let token = try reader.nextKey(in: bytes) {
            let name = reader.string(token, in: bytes)
            if try reader.peekKind(in: bytes) == .array {
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { members.append((name, try value(&reader, body))) }
            } else {
                members.append((name, try value(&reader, body)))
            }
        }
        try reader.finish(in: bytes)
        return members
    }

    /// Text as it is, numbers and booleans as they are spelled.
    private static func value(_ reader: inout JSONReader, _ body: [UInt8]) throws(JSONError) -> String {
        let bytes = body.span
        switch try reader.peekKind(in: bytes) {
        case .null:
            _ = try reader.skipNull(in: bytes)
            return ""
        case .number, .bool:
            let start = reader.offset
            try reader.skipValue(in: bytes)
            return String(decoding: body[start..<reader.offset], as: UTF8.self)
        // The reader says what it found instead of a text.
        case .string, .array, .object: return try reader.string(in: bytes)
        }
    }
}

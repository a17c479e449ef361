import OrielTelemetry

/// How far a tail has come, so that a new connection goes on without loss or repetition.
struct TailProgress {
    enum Line {
        /// A record that was not shown before.
        case log(ArraySlice<UInt8>)
        case gap(String)
        case error(String)
        /// A position, or a record that was shown before: a good moment to flush.
        case nothing
    }

    /// Where to go on.
    private(set) var cursor: String?
    /// Row numbers of the records since the cursor.
    private var shown: Set<Int64> = []

    /// Takes a line in.
    mutating func take(_ line: ArraySlice<UInt8>) throws -> Line {
        // The reader counts from the start of its bytes.
        let bytes = Array(line)
        let span = bytes.span
        var reader = JSONReader()
        try reader.beginObject(in: span)
        guard let token = try reader.nextKey(in: span) else { return .nothing }
        switch reader.string(token, in: span) {
        case "log":
            let start = reader.offset
            try reader.skipValue(in: span)
            let record = bytes[start..<reader.offset]
            if let ord = try AnswerList.decode(OrdAnswer.self, record).ord?.value, !shown.insert(ord).inserted { return .nothing }
            return .log(record)
        case "position":
            cursor = try reader.string(in: span)
            shown.removeAll(keepingCapacity: true)
            return .nothing
        case "gap": return .gap(try reader.string(in: span))
        case "error": return .error(try AnswerList.decode(ErrorAnswer.self, bytes).error.message)
        default: return .nothing
        }
    }

    private struct OrdAnswer: Decodable {
        var ord: Int64Text?
    }
}

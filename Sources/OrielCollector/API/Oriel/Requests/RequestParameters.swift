import OrielStore
import OrielTelemetry

/// The query parameters of one request, checked against those that its path knows.
struct RequestParameters: Sendable {
    private let values: [(name: String, value: String)]
    /// The moment that relative times refer to.
    let now: Timestamp

    /// Refuses a parameter that is not in `known`, with the name that was probably meant.
    init(_ values: [(name: String, value: String)], known: [String], now: Timestamp) throws(APIError) {
        for (name, _) in values where !known.contains(name) {
            let hint = Suggestion.hint(for: name, in: known)
            let list = known.isEmpty ? "this path takes none" : "known are \(known.joined(separator: ", "))"
            throw APIError(status: 400, "unknown parameter \"\(name.prefix(100))\"\(hint); \(list)", parameter: String(name.prefix(100)))
        }
        self.values = values
        self.now = now
    }

    /// The value of a parameter that may be given once; `nil` when it is missing or empty.
    func single(_ name: String) throws(APIError) -> String? {
        let found = values.filter { $0.name == name && !$0.value.isEmpty }
        guard found.count <= 1 else { throw APIError(status: 400, "parameter \"\(name)\" is given \(found.count) times; once is enough", parameter: name) }
        return found.first?.value
    }

    /// All values of a parameter that may be repeated.
    func all(_ name: String) -> [String] {
        values.filter { $0.name == name && !$0.value.isEmpty }.map(\.value)
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let text = try single(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw .invalid(name, text, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func bool(_ name: String) throws(APIError) -> Bool {
        switch try single(name) {
        case nil, "false", "0": return false
        case "true", "1": return true
        case let text?: throw .invalid(name, text, expected: "true or false")
        }
    }

    /// A duration in nanoseconds.
    func duration(_ name: String) throws(APIError) -> Int64? {
        guard let text = try single(name) else { return nil }
        guard let value = DurationText.nanoseconds(text) else {
            throw .invalid(name, text, expected: "a duration with a unit, such as 250ms, 1.5s or 1h30m")
        }
        return value
    }

    func time(_ name: String) throws(APIError) -> Timestamp? {
        guard let text = try single(name) else { return nil }
        guard let value = TimeExpression.timestamp(text, now: now, zone: .utc) else { throw .invalid(name, text, expected: TimeExpression.forms) }
        return value
    }

    /// One of some words, by its value.
    func choice<Value>(_ name: String, _ choices: KeyValuePairs<String, Value>) throws(APIError) -> Value? {
        guard let text = try single(name) else { return nil }
        for (word, value) in choices where word == text.lowercased() { return value }
        let words = choices.map(\.key)
        throw .invalid(name, text, expected: words.joined(separator: ", ") + Suggestion.hint(for: text, in: words))
    }

    func traceID(_ name: String) throws(APIError) -> TraceID? {
        guard let text = try single(name) else { return nil }
        guard let id = TraceID(hexadecimal: text) else { throw .invalid(name, text, expected: "32 hexadecimal digits") }
        return id
    }

    /// Rows of one page; 100 when not given.
    func limit(default standard: Int = 100, maximum: Int = maximumLimit) throws(APIError) -> Int {
        try integer("limit", in: 1...maximum) ?? standard
    }

    /// The most that `limit` may ask for, unless a list says otherwise.
    static let maximumLimit = 10_000

    /// `start` (or `since`) and `end`. Without a start the last hour; without an end there is none, so that rows of clocks ahead of ours are shown.
    func timeRange(defaultStart: Timestamp? = nil) throws(APIError) -> TimeRange {
        let start = try time("start")
        let since = try time("since")
        if start != nil, since != nil {
            throw APIError(status: 400, "start and since mean the same; give one of them", parameter: "since")
        }
        let end = try time("end") ?? TimeRange.all.end
        let lower = start ?? since ?? defaultStart ?? min(now, end).advanced(by: -3_600_000_000_000)
        guard lower < end else {
            throw APIError(status: 400, "the range is empty: it starts at \(lower.rfc3339) and ends at \(end.rfc3339)", parameter: "end")
        }
        return TimeRange(start: lower, end: end)
    }

    /// A hash over all parameters that decide which rows an answer has: a cursor is good for the same ones only.
    var fingerprint: UInt64 {
        var text = ""
        for (name, value) in values.sorted(by: { ($0.name, $0.value) < ($1.name, $1.value) }) where !["cursor", "limit"].contains(name) {
            text += "\(name)\u{0}\(value)\u{0}"
        }
        // FNV-1a: a cursor outlives the process.
        return text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

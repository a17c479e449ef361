import OrielStore
import OrielTelemetry

/// Where the next page begins: what `next` hands out and `cursor` takes back. Opaque to clients.
struct PageCursor: Sendable, Hashable {
    /// The list it belongs to.
    var list: String
    /// Of the request's other parameters.
    var fingerprint: UInt64
    /// The range as it was for the first page, so that `since=1h` does not slide from page to page.
    var range: TimeRange
    /// The last row delivered, in the list's own form.
    var position: String

    /// URL-safe text.
    var text: String {
        let plain = "1|\(list)|\(String(fingerprint, radix: 16))|\(range.start.nanoseconds)|\(range.end.nanoseconds)|\(position)"
        var digits: [UInt8] = []
        Base64.append(Array(plain.utf8).span, to: &digits)
        let safe = digits.compactMap { digit -> UInt8? in
            switch digit {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: digit
            }
        }
        return String(decoding: safe, as: UTF8.self)
    }

    /// Reads what ``text`` wrote.
    init(_ text: String, list: String, fingerprint: UInt64) throws(APIError) {
        let plain = Base64.decode(Array(text.utf8).span).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let parts = plain.split(separator: "|", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "1", parts[1] == list, let found = UInt64(parts[2], radix: 16), let start = Int64(parts[3]),
            let end = Int64(parts[4])
        else {
            throw APIError(status: 400, "this cursor is not one that this list handed out as \"next\"", parameter: "cursor")
        }
        guard found == fingerprint else {
            throw APIError(status: 400, "this cursor belongs to a request with other filters; repeat all of them unchanged", parameter: "cursor")
        }
        self.init(
            list: list, fingerprint: fingerprint, range: TimeRange(start: Timestamp(nanoseconds: start), end: Timestamp(nanoseconds: end)),
            position: String(parts[5]))
    }

    init(list: String, fingerprint: UInt64, range: TimeRange, position: String) {
        self.list = list
        self.fingerprint = fingerprint
        self.range = range
        self.position = position
    }

    /// The error for a position that is not of its list's form.
    static let damaged = APIError(status: 400, "this cursor is damaged", parameter: "cursor")
}

/// The range and the place to go on that a request asks for.
struct PageRequest: Sendable {
    let list: String
    let fingerprint: UInt64
    let range: TimeRange
    /// `nil` for the first page.
    let position: String?
    let limit: Int

    init(
        _ parameters: RequestParameters, list: String, defaultStart: Timestamp? = nil, maximumLimit: Int = RequestParameters.maximumLimit
    ) throws(APIError) {
        self.list = list
        fingerprint = parameters.fingerprint
        limit = try parameters.limit(maximum: maximumLimit)
        if let text = try parameters.single("cursor") {
            let cursor = try PageCursor(text, list: list, fingerprint: fingerprint)
            range = cursor.range
            position = cursor.position
        } else {
            range = try parameters.timeRange(defaultStart: defaultStart)
            position = nil
        }
    }

    /// The text of `next` behind a row.
    func next(after position: String) -> String {
        PageCursor(list: list, fingerprint: fingerprint, range: range, position: position).text
    }
}

public import OrielTelemetry

/// Why a request cannot be decoded at all. Rows that are merely invalid do not fail a request: see ``OTLPRejections``.
public struct OTLPError: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        /// The bytes are no valid protobuf, or a known field has the wrong wire type.
        case wire(WireError.Reason)
        /// The text is no valid JSON, or a field's value has the wrong type.
        case json(JSONError.Reason)
        /// A JSON string that is no hexadecimal or base64 text, or an enum value's name that does not exist.
        case invalidText(expected: String)
        /// The request is larger than ``OTLPDecoder/Options/maximumByteCount``.
        case tooLarge(limit: Int)
    }

    public var reason: Reason
    /// The offending byte, from the start of the request.
    public var offset: Int
    /// The field that the byte lies in, such as `resource_spans[0].scope_spans[1].spans[3].attributes`; in JSON the keys of the text.
    public var path: String

    public init(_ reason: Reason, offset: Int, path: String = "") {
        self.reason = reason
        self.offset = offset
        self.path = path
    }
}

extension OTLPError: CustomStringConvertible {
    public var description: String {
        let what =
            switch reason {
            case .wire(let reason): WireError(reason, offset: offset).description
            case .json(let reason): JSONError(reason, offset: offset).description
            case .invalidText(let expected): "a string at byte \(offset) that is no \(expected)"
            case .tooLarge(let limit): "the request is larger than \(limit) bytes"
            }
        return path.isEmpty ? what : "\(path): \(what)"
    }
}

/// The rows of a request that were not taken, and remarks on rows that were: what a partial-success reply says.
public struct OTLPRejections: Hashable, Sendable {
    /// How many spans, log records or data points were rejected.
    public private(set) var count = 0
    /// What was wrong, with field paths; the first ``maximumMessages`` only.
    public private(set) var messages: [String] = []
    /// How many remarks there were on rows that were taken, such as a log record whose malformed span id was dropped.
    public private(set) var warningCount = 0
    /// The first ``maximumMessages`` of those.
    public private(set) var warnings: [String] = []

    /// How many messages of each kind are kept.
    public static let maximumMessages = 5

    public init() {}

    /// Whether a reply needs no partial success.
    public var isEmpty: Bool { count == 0 && warningCount == 0 }

    /// The text for `partial_success.error_message`; empty when there is nothing to say.
    public var message: String {
        var parts = messages
        if count > messages.count, !messages.isEmpty { parts.append("and \(count - messages.count) more") }
        parts += warnings
        if warningCount > warnings.count, !warnings.isEmpty { parts.append("and \(warningCount - warnings.count) more warnings") }
        return parts.joined(separator: "; ")
    }

    /// Counts rows that are not taken. Rows refused after decoding (by a limit of the collector, say) may be added too.
    public mutating func reject(rows: Int = 1, _ message: @autoclosure () -> String) {
        guard rows > 0 else { return }
        count += rows
        if messages.count < OTLPRejections.maximumMessages { messages.append(message()) }
    }

    /// Notes a remark on a row that is taken.
    public mutating func warn(_ message: @autoclosure () -> String) {
        warningCount += 1
        if warnings.count < OTLPRejections.maximumMessages { warnings.append(message()) }
    }
}

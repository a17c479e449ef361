import OrielTelemetry

/// The text of a W3C `tracestate`: `vendor=value` members, the latest first, of which `ot` is OpenTelemetry's: `ot=th:c;rv:0123456789abcd`.
enum TraceState {
    static let maximumMembers = 32
    static let maximumBytes = 512
    /// Members longer than this go first where there is no room, as the W3C advises.
    private static let longMember = 128
    private static let key = "ot"

    // MARK: Reading

    /// A header's value without blanks and empty members, within the bounds; of duplicate keys the first stays. What is malformed or has too many members is
    /// discarded as a whole, as the W3C says: then the text is empty.
    static func canonical(_ header: String) -> String {
        let bytes = Array(header.utf8)
        var members: [ArraySlice<UInt8>] = []
        var keys: Set<ArraySlice<UInt8>> = []
        var count = 0
        for part in bytes.split(separator: UInt8(ascii: ",")) {
            let member = part.trimmingBlanks()
            if member.isEmpty { continue }
            count += 1
            guard count <= maximumMembers, let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return "" }
            guard isKey(member[..<equals]), isValue(member[(equals + 1)...]) else { return "" }
            if keys.insert(member[..<equals]).inserted { members.append(member) }
        }
        return bounded(members)
    }

    /// One letter or digit, then up to 255 of those and `_-*/@`.
    private static func isKey(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, text.count <= 256, isLowerOrDigit(first) else { return false }
        return text.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "@"): true
            default: isLowerOrDigit(byte)
            }
        }
    }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// 1 to 256 printable characters of ASCII but `,` and `=`, the last one no blank.
    private static func isValue(_ text: ArraySlice<UInt8>) -> Bool {
        guard let last = text.last, text.count <= 256, last != UInt8(ascii: " ") else { return false }
        return text.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }
    }

    /// The threshold that the trace's spans were chosen by so far, if it is told.
    static func threshold(in text: String) -> Oriel.SamplingThreshold? {
        field("th", in: text) { Oriel.SamplingThreshold(text: $0) }
    }

    /// The randomness that the trace's first service chose, if it is told: exactly 14 digits.
    static func randomness(in text: String) -> UInt64? {
        field("rv", in: text) { $0.count == 14 ? UInt64(lowerHexadecimal: $0) : nil }
    }

    private static func field<Value>(_ name: String, in text: String, _ read: (ArraySlice<UInt8>) -> Value?) -> Value? {
        guard !text.isEmpty else { return nil }
        for member in Array(text.utf8).split(separator: UInt8(ascii: ",")) where isOwn(member) {
            for field in fields(member) where isNamed(name, field) { return read(field.dropFirst(name.utf8.count + 1)) }
        }
        return nil
    }

    private static func isOwn(_ member: ArraySlice<UInt8>) -> Bool { member.starts(with: "ot=".utf8) }

    private static func fields(_ member: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        member.dropFirst("ot=".utf8.count).split(separator: UInt8(ascii: ";"))
    }

    private static func isNamed(_ name: String, _ field: ArraySlice<UInt8>) -> Bool {
        field.starts(with: name.utf8) && field.dropFirst(name.utf8.count).first == UInt8(ascii: ":")
    }

    // MARK: Writing

    /// The text with another threshold, or with none; what else it holds stays. The changed member comes first, as the W3C demands.
    static func replacing(_ threshold: Oriel.SamplingThreshold?, in text: String) -> String {
        if text.isEmpty { return threshold?.traceState ?? "" }
        if threshold == Self.threshold(in: text) { return text }
        let members = Array(text.utf8).split(separator: UInt8(ascii: ","))
        var own = Array((threshold?.traceState ?? "").utf8)
        for member in members where isOwn(member) {
            for field in fields(member) where !isNamed("th", field) {
                own.append(contentsOf: own.isEmpty ? Array("ot=".utf8) : [UInt8(ascii: ";")])
                own.append(contentsOf: field)
            }
        }
        let others = members.filter { !isOwn($0) }
        return bounded(own.isEmpty ? others : [own[...]] + others)
    }

    /// The members as text, with as many as there is room for: long ones are left out first, then the oldest, which are the last.
    private static func bounded(_ members: [ArraySlice<UInt8>]) -> String {
        var members = members
        var bytes = members.reduce(max(members.count - 1, 0)) { $0 + $1.count }
        while members.count > maximumMembers || bytes > maximumBytes {
            let isTooLong = bytes > maximumBytes
            let index = (isTooLong ? members.lastIndex { $0.count > longMember } : nil) ?? members.count - 1
            bytes -= members.remove(at: index).count + 1
        }
        return String(decoding: Array(members.joined(separator: [UInt8(ascii: ",")])), as: UTF8.self)
    }
}

import OrielTelemetry

/// The W3C header `baggage`: `key=value;property;property=value,key=value`, values percent-encoded.
enum BaggageHeader {
    static let header = "baggage"
    static let maximumMembers = 64
    static let maximumBytes = 8192

    // MARK: Reading

    /// The valid members, as many of them as the bounds allow; the others are passed over.
    static func read(_ header: String) -> Oriel.Baggage {
        var baggage = Oriel.Baggage()
        var bytes = 0
        for part in Array(header.utf8).split(separator: UInt8(ascii: ",")) {
            bytes += part.count + 1
            guard bytes - 1 <= maximumBytes, baggage.members.count < maximumMembers else { break }
            if let member = member(part) { baggage.members.append(member) }
        }
        return baggage
    }

    private static func member(_ text: ArraySlice<UInt8>) -> Oriel.Baggage.Member? {
        var parts = text.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)[...]
        guard let (key, encoded) = parts.popFirst().flatMap(pair), let encoded, let value = decoded(encoded) else { return nil }
        var member = Oriel.Baggage.Member(key: key, value: value)
        for part in parts {
            guard let (key, value) = pair(part) else { continue }
            member.properties.append(Oriel.Baggage.Property(key: key, value: value.map { String(decoding: $0, as: UTF8.self) }))
        }
        return member
    }

    /// A key and what stands behind the equals sign, if there is one; `nil` when one of them is not valid.
    private static func pair(_ text: ArraySlice<UInt8>) -> (key: String, value: ArraySlice<UInt8>?)? {
        let parts = text.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false).map { $0.trimmingBlanks() }
        guard let key = parts.first, isKey(key) else { return nil }
        guard parts.count == 2 else { return (String(decoding: key, as: UTF8.self), nil) }
        guard parts[1].allSatisfy(isValueByte) else { return nil }
        return (String(decoding: key, as: UTF8.self), parts[1])
    }

    private static func isKey(_ text: ArraySlice<UInt8>) -> Bool {
        !text.isEmpty && text.allSatisfy(isTokenByte)
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Printable ASCII without blank, quotation mark, comma, semicolon and backslash.
    private static func isValueByte(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: ",") && byte != UInt8(ascii: ";") && byte != UInt8(ascii: "\\")
    }

    /// Percent signs that no two digits follow stay as they are; what is then no UTF-8 becomes U+FFFD.
    private static func decoded(_ text: ArraySlice<UInt8>) -> String? {
        guard text.contains(UInt8(ascii: "%")) else { return String(decoding: text, as: UTF8.self) }
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let code = UInt64(hexadecimal: rest.prefix(2)) {
                bytes.append(UInt8(truncatingIfNeeded: code))
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Writing

    /// The first members that the bounds have room for, without those whose key is no token; `nil` when none is left.
    static func text(_ baggage: Oriel.Baggage) -> String? {
        var text: [UInt8] = []
        var count = 0
        for member in baggage.members {
            let key = Array(member.key.utf8)
            guard isKey(key[...]) else { continue }
            guard count < maximumMembers else { break }
            let start = text.count
            if count > 0 { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: key)
            text.append(UInt8(ascii: "="))
            encode(member.value, into: &text)
            for property in member.properties { write(property, into: &text) }
            guard text.count <= maximumBytes else {
                text.removeSubrange(start...)
                break
            }
            count += 1
        }
        return count > 0 ? String(decoding: text, as: UTF8.self) : nil
    }

    private static func encode(_ value: String, into text: inout [UInt8]) {
        for byte in value.utf8 {
            if isValueByte(byte), byte != UInt8(ascii: "%") {
                text.append(byte)
            } else {
                text.append(UInt8(ascii: "%"))
                text.append(upperDigit(byte >> 4))
                text.append(upperDigit(byte & 0xF))
            }
        }
    }

    private static func upperDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") + nibble - 10
    }

    /// A property that has no valid form is left out.
    private static func write(_ property: Oriel.Baggage.Property, into text: inout [UInt8]) {
        guard isKey(Array(property.key.utf8)[...]), property.value?.utf8.allSatisfy(isValueByte) ?? true else { return }
        text.append(UInt8(ascii: ";"))
        text.append(contentsOf: property.key.utf8)
        guard let value = property.value else { return }
        text.append(UInt8(ascii: "="))
        text.append(contentsOf: value.utf8)
    }
}

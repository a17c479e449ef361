import Crypto
import FoundationEssentials
import OrielTelemetry

/// The text that a bearer shows, and what is kept of it.
enum AccessToken {
    /// What generated tokens begin with, so that people and secret scanners know one when they see it.
    static let prefix = "oriel_"

    /// A new token: the prefix and 256 bits of the system's random numbers, as URL-safe base64.
    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var digits: [UInt8] = []
        Base64.append(bytes.span, to: &digits)
        let safe = digits.compactMap { digit -> UInt8? in
            switch digit {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: digit
            }
        }
        return prefix + String(decoding: safe, as: UTF8.self)
    }

    /// SHA-256. A slow hash is for what people think up; 256 random bits cannot be searched.
    static func digest(of token: String) -> SHA256Digest {
        SHA256.hash(data: Array(token.utf8))
    }

    /// Whether a digest has these bytes. Takes as long for bytes that differ in the first place as for those that differ in the last.
    static func isEqual(_ digest: SHA256Digest, _ bytes: [UInt8]) -> Bool {
        digest == bytes
    }

    /// The first bytes of a digest as a number, to find its entry by.
    ///
    /// How long finding takes may tell something about the digest, but nobody can choose a token by its digest.
    static func key(of digest: some Sequence<UInt8>) -> UInt64 {
        digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The token of an `Authorization` header; `nil` for another scheme.
    static func bearer(in header: String) -> String? {
        let scheme = "bearer "
        guard header.utf8.count > scheme.utf8.count, header.prefix(scheme.count).lowercased() == scheme else { return nil }
        let token = header.dropFirst(scheme.count).drop { $0 == " " }
        return token.isEmpty || token.utf8.contains(UInt8(ascii: " ")) ? nil : String(token)
    }
}

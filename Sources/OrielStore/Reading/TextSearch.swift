import OrielTelemetry

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Finds a text within texts, by bytes.
///
/// Case-insensitive search compares the simple lower-case mappings of the scalars, one by one: `É` finds `é`, but `ß` does not find `SS`. While the needle is
/// ASCII nothing is allocated, except for a text with U+212A (the Kelvin sign, whose lower case is `k`) when the needle has a `k`.
public struct TextSearch: Hashable, Sendable {
    /// What is looked for; lower case when the search ignores case.
    private let needle: [UInt8]
    private let ignoresCase: Bool
    private let needleIsASCII: Bool
    private let needleHasK: Bool

    public init(_ text: String, caseSensitive: Bool) {
        ignoresCase = !caseSensitive
        needle = caseSensitive ? Array(text.utf8) : TextSearch.lowercased(text)
        needleIsASCII = needle.allSatisfy { $0 < 0x80 }
        needleHasK = needle.contains(UInt8(ascii: "k"))
    }

    /// Whether the text occurs in `text`. The empty text occurs everywhere.
    ///
    /// Complexity: O(*n*) for usual texts, O(*n* · *m*) at worst.
    public func occurs(in text: Span<UInt8>) -> Bool {
        guard !needle.isEmpty else { return true }
        guard ignoresCase else { return find(needle.span, in: text) }
        if needleIsASCII {
            if findIgnoringASCIICase(in: text) { return true }
            guard needleHasK, find(TextSearch.kelvinSign.span, in: text) else { return false }
        }
        let lowered = TextSearch.lowercased(String(repairing: text))
        return find(needle.span, in: lowered.span)
    }

    /// U+212A in UTF-8.
    private static let kelvinSign: [UInt8] = [0xE2, 0x84, 0xAA]

    private func find(_ needle: Span<UInt8>, in text: Span<UInt8>) -> Bool {
        guard text.count >= needle.count else { return false }
        let first = Int32(needle[0])
        let length = needle.count
        // Safe: the pointers are used within the closures only; each step is checked against `last`, behind which less than a needle's length is left.
        return unsafe text.withUnsafeBytes { text in
            unsafe needle.withUnsafeBytes { needle in
                guard var candidate = text.baseAddress, let needleStart = needle.baseAddress else { return false }
                let last = unsafe candidate + (text.count &- length)
                while unsafe candidate <= last {
                    guard let found = unsafe memchr(candidate, first, last - candidate + 1) else { return false }
                    if unsafe memcmp(found, needleStart, length) == 0 { return true }
                    unsafe candidate = UnsafeRawPointer(found) + 1
                }
                return false
            }
        }
    }

    private func findIgnoringASCIICase(in text: Span<UInt8>) -> Bool {
        let needle = needle.span
        let length = needle.count
        guard text.count >= length else { return false }
        let first = needle[0]
        let last = text.count &- length
        var start = 0
        while start <= last {
            if TextSearch.lowercased(text[start]) == first {
                var offset = 1
                while offset < length, TextSearch.lowercased(text[start &+ offset]) == needle[offset] { offset &+= 1 }
                if offset == length { return true }
            }
            start &+= 1
        }
        return false
    }

    @inline(__always)
    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// UTF-8 of the simple lower-case mapping: a scalar whose mapping is longer than one scalar stays.
    private static func lowercased(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                bytes.append(lowercased(UInt8(truncatingIfNeeded: scalar.value)))
                continue
            }
            let mapping = scalar.properties.lowercaseMapping
            let isSimple = mapping.unicodeScalars.count == 1
            bytes.append(contentsOf: isSimple ? Array(mapping.utf8) : Array(String(Character(scalar)).utf8))
        }
        return bytes
    }
}

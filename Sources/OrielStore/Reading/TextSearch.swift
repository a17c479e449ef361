public import OrielTelemetry

/// Finds a text within texts, by bytes.
///
/// Case-insensitive search compares the simple lower-case mappings of the scalars, one by one: `É` finds `é`, but `ß` does not find `SS`. While the needle is
/// ASCII nothing is allocated, except for a text with U+212A (the Kelvin sign, whose lower case is `k`) when the needle has a `k`.
public struct TextSearch: Hashable, Sendable {
    /// What is looked for; lower case when the search ignores case.
    private let needle: [UInt8]
    private let ignoresCase: Bool
    private let wholeWords: Bool
    private let needleIsASCII: Bool
    private let needleHasK: Bool
    /// Hashes (see ``TextTokens``) of the tokens that a text must have to contain the needle. Those at the needle's ends count for whole words only: else they may be
    /// parts of longer ones.
    public let requiredTokens: [UInt64]

    /// - Parameter wholeWords: Whether the text must not be part of longer words: what precedes and follows an occurrence must not go on with a token
    ///   (see ``TextTokens``) that it begins or ends with.
    public init(_ text: String, caseSensitive: Bool, wholeWords: Bool = false) {
        ignoresCase = !caseSensitive
        self.wholeWords = wholeWords
        let needle = caseSensitive ? Array(text.utf8) : TextSearch.lowercased(text)
        self.needle = needle
        needleIsASCII = needle.allSatisfy { $0 < 0x80 }
        needleHasK = needle.contains(UInt8(ascii: "k"))
        var tokens: [UInt64] = []
        TextTokens.forEach(in: needle.span) { range, _, _ in
            if wholeWords || (range.lowerBound > 0 && range.upperBound < needle.count) {
                tokens.append(TextTokens.hash(token: needle.span.extracting(range)))
            }
        }
        requiredTokens = tokens
    }

    var isEmpty: Bool { needle.isEmpty }

    /// Whether the text occurs in `text`. The empty text occurs everywhere.
    ///
    /// Complexity: O(*n*) for usual texts, O(*n* · *m*) at worst.
    public func occurs(in text: Span<UInt8>) -> Bool {
        guard !needle.isEmpty else { return true }
        guard ignoresCase else { return find(in: text) }
        if needleIsASCII {
            if find(in: text) { return true }
            guard needleHasK, TextSearch.kelvinSign.find(in: text) else { return false }
        } else if TextSearch.isASCII(text) {
            return false
        }
        let lowered = TextSearch.lowercased(String(repairing: text))
        return find(in: lowered.span)
    }

    /// The indexes of the values that the text occurs in, ascending.
    ///
    /// The values are searched as one text, and only what is found is mapped to values.
    ///
    /// Complexity: O(*bytes*) for usual texts.
    public func indexes(in values: ByteColumn) -> [Int] {
        guard !needle.isEmpty else { return Array(0..<values.count) }
        let text = values.bytes.span
        guard !ignoresCase || needleIsASCII else {
            return (0..<values.count).filter { occurs(in: text.extracting(values.range(of: $0))) }
        }
        let found = indexesByBytes(in: values)
        guard ignoresCase, needleHasK, TextSearch.kelvinSign.find(in: text) else { return found }
        let others = TextSearch.kelvinSign.indexesByBytes(in: values).filter { occurs(in: text.extracting(values.range(of: $0))) }
        return others.isEmpty ? found : Set(found).union(others).sorted()
    }

    /// U+212A.
    private static let kelvinSign = TextSearch("\u{212A}", caseSensitive: true)

    private func indexesByBytes(in values: ByteColumn) -> [Int] {
        var indexes: [Int] = []
        let text = values.bytes.span
        let ends = values.ends.span
        var value = 0
        var start = 0
        var candidate = 0
        while let found = next(from: candidate, in: text) {
            // The value that holds the first byte: its end is the first one behind it.
            var step = 1
            var high = value
            while high < ends.count, Int(ends[high]) <= found {
                value = high + 1
                high += step
                step *= 2
            }
            high = min(high, ends.count)
            while value < high {
                let middle = (value + high) / 2
                if Int(ends[middle]) <= found { value = middle + 1 } else { high = middle }
            }
            start = value == 0 ? 0 : Int(ends[value - 1])
            let end = Int(ends[value])
            if found + needle.count <= end, isWhole(found, in: text, start..<end) {
                indexes.append(value)
                candidate = end
            } else {
                candidate = found + 1
            }
        }
        return indexes
    }

    private func find(in text: Span<UInt8>) -> Bool {
        var candidate = 0
        while let found = next(from: candidate, in: text) {
            if isWhole(found, in: text, 0..<text.count) { return true }
            candidate = found + 1
        }
        return false
    }

    /// Whether an occurrence in a value that lies at `range` is no part of longer words, if that matters.
    @inline(__always)
    private func isWhole(_ found: Int, in text: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard wholeWords else { return true }
        let end = found + needle.count
        if found > range.lowerBound, TextTokens.contains(needle[0]), TextTokens.contains(text[found - 1]) { return false }
        return !(end < range.upperBound && TextTokens.contains(needle[needle.count - 1]) && TextTokens.contains(text[end]))
    }

    /// Where the needle occurs first at or behind an offset, comparing bytes, and ASCII letters without their case if the search ignores it.
    ///
    /// Looks for the needle's first and last byte at their distance, eight places a step.
    private func next(from start: Int, in text: Span<UInt8>) -> Int? {
        let length = needle.count
        let end = text.count &- length
        guard start <= end else { return nil }
        let first = needle[0]
        let last = needle[length &- 1]
        // For letters the bit that tells the cases apart is set in both.
        let firstBit: UInt8 = ignoresCase && first &- 0x61 < 26 ? 0x20 : 0
        let lastBit: UInt8 = ignoresCase && last &- 0x61 < 26 ? 0x20 : 0
        let ones: UInt64 = 0x0101_0101_0101_0101
        let (firsts, lasts) = (UInt64(first) &* ones, UInt64(last) &* ones)
        let (firstBits, lastBits) = (UInt64(firstBit) &* ones, UInt64(lastBit) &* ones)
        let raw = unsafe text.bytes
        var place = start
        while place &+ 8 <= end &+ 1 {
            // In bounds: the last of the eight places is at most `end`, behind which a needle's length is left.
            let heads = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: place, as: UInt64.self).littleEndian
            let tails = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: place &+ length &- 1, as: UInt64.self).littleEndian
            let difference = ((heads | firstBits) ^ firsts) | ((tails | lastBits) ^ lasts)
            // The high bit of each zero byte, perhaps also of one above it, which the comparison then refuses.
            var zeros = (difference &- ones) & ~difference & 0x8080_8080_8080_8080
            while zeros != 0 {
                let candidate = place &+ zeros.trailingZeroBitCount / 8
                if matches(at: candidate, in: text) { return candidate }
                zeros &= zeros &- 1
            }
            place &+= 8
        }
        while place <= end {
            if matches(at: place, in: text) { return place }
            place &+= 1
        }
        return nil
    }

    @inline(__always)
    private func matches(at place: Int, in text: Span<UInt8>) -> Bool {
        let needle = needle.span
        var offset = 0
        if ignoresCase {
            while offset < needle.count {
                if TextSearch.lowercased(text[place &+ offset]) != needle[offset] { return false }
                offset &+= 1
            }
        } else {
            while offset < needle.count {
                if text[place &+ offset] != needle[offset] { return false }
                offset &+= 1
            }
        }
        return true
    }

    private static func isASCII(_ text: Span<UInt8>) -> Bool {
        var union: UInt8 = 0
        for index in text.indices { union |= text[index] }
        return union < 0x80
    }

    @inline(__always)
    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// UTF-8 of the simple lower-case mapping: a scalar whose mapping is longer than one scalar stays.
    static func lowercased(_ text: String) -> [UInt8] {
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

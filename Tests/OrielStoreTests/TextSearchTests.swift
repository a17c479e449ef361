import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielStore

@Suite("Text search")
struct TextSearchTests {
    private static let pieces = [
        "a", "A", "b", "ab", "é", "É", "k", "K", "\u{212A}", "_", "9", " ", "-", "ß", "日", "error", "Error", "İ", "\u{FFFD}", "x y", "aaaa",
    ]

    private func text(_ random: inout SplitMix64, pieces: Int) -> String {
        (0..<random.below(pieces + 1)).map { _ in random.pick(Self.pieces) }.joined()
    }

    /// Compares scalar by scalar at every place.
    private func occurs(_ needle: String, in text: String, caseSensitive: Bool, wholeWords: Bool) -> Bool {
        func scalars(_ text: String) -> [Unicode.Scalar] {
            text.unicodeScalars.map { scalar in
                let lowered = scalar.properties.lowercaseMapping.unicodeScalars
                return !caseSensitive && lowered.count == 1 ? lowered[lowered.startIndex] : scalar
            }
        }
        func isWord(_ scalar: Unicode.Scalar) -> Bool {
            !scalar.isASCII || scalar == "_" || scalar.properties.numericType != nil || scalar.properties.isAlphabetic
        }
        let (needle, text) = (scalars(needle), scalars(text))
        guard text.count >= needle.count else { return false }
        return (0...(text.count - needle.count)).contains { start in
            let end = start + needle.count
            guard Array(text[start..<end]) == needle else { return false }
            guard wholeWords, let first = needle.first, let last = needle.last else { return true }
            return !(start > 0 && isWord(first) && isWord(text[start - 1])) && !(end < text.count && isWord(last) && isWord(text[end]))
        }
    }

    @Test("finds what a comparison at every place finds, in one text and in many at once", arguments: 1...4 as ClosedRange<UInt64>)
    func search(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<300 {
            var column = ByteColumn()
            let texts = (0..<random.below(30)).map { _ in text(&random, pieces: 20) }
            for text in texts { column.append(text) }
            let needle = text(&random, pieces: 3)
            let (caseSensitive, wholeWords) = (random.oneIn(2), random.oneIn(2))
            let search = TextSearch(needle, caseSensitive: caseSensitive, wholeWords: wholeWords)
            let expected = texts.indices.filter { occurs(needle, in: texts[$0], caseSensitive: caseSensitive, wholeWords: wholeWords) }
            let place = "seed \(seed): \(needle.debugDescription), case \(caseSensitive), words \(wholeWords)"
            #expect(search.indexes(in: column) == expected, "\(place)")
            #expect(texts.indices.filter { search.occurs(in: Array(texts[$0].utf8).span) } == expected, "\(place)")
            for index in expected {
                var tokens = DistinctHashes()
                tokens.add(Array(texts[index].utf8).span)
                #expect(Set(search.requiredTokens).isSubset(of: tokens.hashes), "\(place): \(texts[index].debugDescription)")
            }
        }
    }

    @Test("only tokens that are whole in the needle are required")
    func requiredTokens() {
        func count(_ needle: String, wholeWords: Bool = false) -> Int {
            TextSearch(needle, caseSensitive: true, wholeWords: wholeWords).requiredTokens.count
        }
        #expect(count("timeout") == 0)
        #expect(count("read timeout after") == 1)
        #expect(count(" timeout ") == 1)
        #expect(count("timeout", wholeWords: true) == 1)
        #expect(count("read timeout after", wholeWords: true) == 3)
        #expect(count("", wholeWords: true) == 0)
        #expect(TextSearch(" ÉA ", caseSensitive: true).requiredTokens == TextSearch(" éa ", caseSensitive: true).requiredTokens)
    }

    @Test("hashes of tokens and values are what files hold")
    func stableHashes() {
        #expect(TextTokens.hash(value: Array("timeout".utf8).span) == TextSearch("timeout", caseSensitive: false, wholeWords: true).requiredTokens[0])
        #expect(TextTokens.hash(value: Array("".utf8).span) != TextTokens.hash(value: Array("a".utf8).span))
        #expect(TextTokens.hash(key: Array("a".utf8).span, value: Array("b".utf8).span) != TextTokens.hash(value: Array("ab".utf8).span))
    }
}

/// What a text must have to pass a test, in a form that a filter over the texts of a block answers.
public struct TextRequirement: Sendable {
    /// One way to pass.
    public struct Alternative: Sendable {
        /// The hash of the only value that passes, if there is but one (``TextTokens/hash(value:)``).
        public let valueHash: UInt64?
        /// That value.
        public let value: [UInt8]?
        /// Hashes of tokens that a value that passes has, all of them; may be empty.
        public let tokens: [UInt64]
    }

    /// No text passes that fits none of them.
    public let alternatives: [Alternative]
    /// Whether a text within a map lets the map pass. Those of an array always do.
    public let looksIntoMaps: Bool

    init(_ search: TextSearch) {
        alternatives = [Alternative(valueHash: nil, value: nil, tokens: search.requiredTokens)]
        looksIntoMaps = true
    }

    /// - Parameter values: None of them empty: missing values can count as empty ones.
    init(values: [[UInt8]]) {
        alternatives = values.map { value in
            var tokens: [UInt64] = []
            TextTokens.forEach(in: value.span) { range, _, _ in tokens.append(TextTokens.hash(token: value.span.extracting(range))) }
            return Alternative(valueHash: TextTokens.hash(value: value.span), value: value, tokens: tokens)
        }
        looksIntoMaps = false
    }
}

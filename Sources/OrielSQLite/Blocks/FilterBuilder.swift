import OrielStore
import OrielTelemetry

/// Which filters a column of strings gets.
enum FilterPlan {
    case none
    /// Tokens: for texts that are searched. `structured` are the indexes of the values that are no text but an encoded `AnyValue`, ascending.
    case text(structured: [Int])
    /// Whole values, and tokens if these are much fewer: for attributes, most of which are compared, and of which many are ids whose parts nobody looks for.
    case attribute
    /// Ready-made hashes of values, distinct or not.
    case hashes([UInt64])
}

/// Builds the filters of columns. Keeps nothing from one to the next.
struct FilterBuilder {
    /// Columns up to this many encoded bytes are as quickly read as a filter.
    static let minimumColumnBytes = 4096
    /// Dictionaries up to this many encoded bytes answer themselves.
    static let minimumDictionaryBytes = 2048
    /// An attribute's tokens get a filter when there are so many distinct values for each: else they are parts of ids, which the filter over values finds whole.
    private static let valuesPerToken = 2

    private var tokens = DistinctHashes()
    private var values = DistinctHashes()

    /// The entries and the bytes of a column's filters, one after another.
    ///
    /// - Parameters:
    ///   - strings: all values.
    ///   - distinct: The distinct ones, if they are known.
    mutating func build(_ plan: FilterPlan, _ strings: ByteColumn, distinct: ByteColumn?) -> (entries: [BlockColumn.FilterEntry], bytes: [UInt8]) {
        tokens.removeAll()
        values.removeAll()
        var entries: [BlockColumn.FilterEntry] = []
        var bytes: [UInt8] = []
        func append(_ kind: BlockFilter.Kind, _ hashes: [UInt64]) {
            let start = bytes.count
            BlockFilter.append(hashes, to: &bytes)
            entries.append(BlockColumn.FilterEntry(kind: kind, byteCount: bytes.count - start))
        }
        switch plan {
        case .none: break
        case .text(let structured):
            addTokens(of: strings, distinct, structured)
            append(.tokens, tokens.hashes)
        case .attribute:
            let texts = distinct ?? strings
            let content = texts.bytes.span
            for index in 0..<texts.count { values.add(hash: TextTokens.hash(value: content.extracting(texts.range(of: index)))) }
            append(.values, values.hashes)
            let limit = values.count / FilterBuilder.valuesPerToken
            for index in 0..<texts.count where tokens.count <= limit { tokens.add(content.extracting(texts.range(of: index))) }
            if tokens.count <= limit { append(.tokens, tokens.hashes) }
        case .hashes(let hashes):
            for hash in hashes { values.add(hash: hash) }
            append(.values, values.hashes)
        }
        return (entries, bytes)
    }

    private mutating func addTokens(of strings: ByteColumn, _ distinct: ByteColumn?, _ structured: [Int]) {
        let content = strings.bytes.span
        var next = 0
        if let distinct {
            let bytes = distinct.bytes.span
            for index in 0..<distinct.count { tokens.add(bytes.extracting(distinct.range(of: index))) }
        } else {
            for index in 0..<strings.count {
                if next < structured.count, structured[next] == index {
                    next += 1
                } else {
                    tokens.add(content.extracting(strings.range(of: index)))
                }
            }
        }
        for index in structured {
            do {
                tokens.add(try AttributeValue(anyValue: content.extracting(strings.range(of: index))))
            } catch {
                // Reads as empty, as everywhere, and holds no text.
                continue
            }
        }
    }
}

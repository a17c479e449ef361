/// What is wrong with encoded column bytes, and where.
///
/// Decoders throw it for any input that this version did not write: every length and count is checked before memory is taken for it.
struct ColumnError: Error, Equatable, Sendable, CustomStringConvertible {
    enum Problem: Equatable, Sendable {
        /// The bytes end before a value that needs this many more.
        case truncated(needed: Int)
        /// The stored CRC32C does not match the bytes.
        case checksum(stored: UInt32, computed: UInt32)
        /// The format version is newer than this code, or no version at all.
        case version(UInt8)
        /// The page holds another codec than the caller asked for.
        case codec(found: UInt8)
        /// A count that the format forbids.
        case count(found: UInt64, limit: UInt64)
        /// A zstd frame could not be inflated to the size that the page states.
        case inflate
        /// Anything else, in words.
        case malformed(String)
    }

    var problem: Problem
    /// Byte offset in the blob that was being read.
    var offset: Int

    init(_ problem: Problem, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }

    var description: String {
        let what =
            switch problem {
            case .truncated(let needed): "\(needed) more bytes expected"
            case .checksum(let stored, let computed):
                "CRC32C is \(String(computed, radix: 16)), stored is \(String(stored, radix: 16))"
            case .version(let version): "format version \(version) is not known, \(Page.version) is the newest"
            case .codec(let found): "codec \(found) does not fit the column's type"
            case .count(let found, let limit): "count \(found) exceeds \(limit)"
            case .inflate: "the zstd frame does not inflate to its stated size"
            case .malformed(let text): text
            }
        return "column bytes at offset \(offset): \(what)"
    }
}

/// A page: the rows of a part of a column as one checked blob.
///
/// ```
/// u8      format version
/// u8      codec | presence << 4 | zstd << 7
/// varint  rows
/// varint  values, unless every row has one
/// varint  bytes of the body once inflated, if zstd
/// body    presence, then the values in the codec's form
/// u32     CRC32C of all that precedes
/// ```
enum Page {
    static let version: UInt8 = 1
    /// Rows that a page may have; encoders make smaller ones.
    static let maximumRows = 1 << 18
    /// Bytes that a page's body or a column of strings may inflate to: above any value that a request can carry.
    static let maximumBytes = 1 << 28

    static let zstdFlag: UInt8 = 0x80
}

/// What the body of a page holds.
enum PageCodec: UInt8, Sendable {
    /// One integer section. Codes of dictionaries and ordinals are integers too.
    case integers = 1
    /// A section of lengths, then the bytes.
    case bytes = 2
    /// Distinct sorted strings: sections of shared prefix lengths and of suffix lengths, then the suffixes.
    case dictionary = 3
    /// Exponent byte, count of exceptions, section of their rows, their bits, section of mantissas.
    case decimals = 4
    /// Bit patterns of doubles as eight byte planes.
    case shuffledDoubles = 5
    /// 8 bytes each, little-endian.
    case identifiers = 6
    /// 16 bytes each: high, low, little-endian.
    case wideIdentifiers = 7
}

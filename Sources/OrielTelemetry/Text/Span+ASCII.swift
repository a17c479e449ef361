extension Span<UInt8> {
    /// Whether all bytes are below 0x80, so that they are valid UTF-8 in any case.
    ///
    /// Complexity: O(*n*), eight bytes at a time.
    @inlinable
    public var isASCII: Bool {
        !contains { word in
            word & 0x8080_8080_8080_8080 != 0
        } byte: {
            $0 >= 0x80
        }
    }

    /// Whether a JSON string cannot hold the bytes as they are: there is a control character, a quotation mark or a backslash (RFC 8259 section 7).
    ///
    /// Complexity: O(*n*), eight bytes at a time.
    @inlinable
    var needsJSONEscapes: Bool {
        contains { word in
            Self.escapes(in: word) != 0
        } byte: { byte in
            byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        }
    }

    /// Whether a JSON string holds the bytes as they are, whatever they mean: all are ASCII, and none needs an escape.
    ///
    /// Complexity: O(*n*), eight bytes at a time.
    @inlinable
    var isPlainInJSON: Bool {
        !contains { word in
            Self.escapes(in: word) | word & 0x8080_8080_8080_8080 != 0
        } byte: { byte in
            byte >= 0x80 || byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        }
    }

    /// The high bits of bytes that JSON escapes; 0 if there is none.
    @inlinable
    static func escapes(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highBits: UInt64 = 0x8080_8080_8080_8080
        // A byte of a word is below a limit of at most 0x80 when taking the limit away borrows from the byte's high bit, which was not set before.
        let control = (word &- ones &* 0x20) & ~word
        let quotation = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let marks = ((quotation &- ones) & ~quotation) | ((backslash &- ones) & ~backslash)
        return (control | marks) & highBits
    }

    /// Whether a test holds for some eight bytes, or another for some of the bytes behind the last whole eight.
    @inlinable
    func contains(_ word: (UInt64) -> Bool, byte: (UInt8) -> Bool) -> Bool {
        let raw = unsafe bytes
        var offset = 0
        while offset &+ 8 <= count {
            // Checked by the loop's condition: eight bytes are left.
            if word(unsafe raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)) { return true }
            offset &+= 8
        }
        while offset < count {
            if byte(self[offset]) { return true }
            offset &+= 1
        }
        return false
    }
}

/// Unsigned numbers of one width, side by side, lowest bit first: value i takes bits i * width ..< (i + 1) * width.
///
/// The unsafe loads and stores of the integer codecs live here, behind functions that check their bounds once.
enum BitPacking {
    /// Values that are packed together and can be decoded on their own.
    static let groupSize = 128

    /// Bytes that `count` values of `width` bits take.
    static func byteCount(count: Int, width: Int) -> Int {
        (count * width + 7) >> 3
    }

    /// Bits that `value` needs, 0 for 0.
    static func width(of value: UInt64) -> Int {
        64 - value.leadingZeroBitCount
    }

    /// Appends `values`, each below 2^`width`, to `bytes`.
    static func pack(_ values: Span<UInt64>, width: Int, into bytes: inout [UInt8]) {
        precondition(width >= 0 && width <= 64)
        guard width > 0, !values.isEmpty else { return }
        let start = bytes.count
        let size = byteCount(count: values.count, width: width)
        bytes.append(contentsOf: repeatElement(0, count: size))
        unsafe bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            var target = unsafe base + start
            var word: UInt64 = 0
            var filled = 0
            for index in values.indices {
                let value = values[index]
                word |= value &<< UInt64(filled)
                filled += width
                if filled >= 64 {
                    unsafe target.storeBytes(of: word.littleEndian, as: UInt64.self)
                    unsafe target += 8
                    filled -= 64
                    word = value >> UInt64(width - filled)
                }
            }
            var remaining = (filled + 7) >> 3
            while remaining > 0 {
                unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: word), as: UInt8.self)
                unsafe target += 1
                word >>= 8
                remaining -= 1
            }
        }
    }

    /// Writes `count` values of `width` bits that begin at byte `offset` to `values[start...]`, as bit patterns.
    ///
    /// `values` must already hold `start + count` elements. Throws if `bytes` ends too early. O(count).
    static func unpack(
        _ bytes: Span<UInt8>, at offset: Int, count: Int, width: Int, into values: inout [Int64], at start: Int
    ) throws(ColumnError) {
        precondition(width >= 0 && width <= 64 && count >= 0 && start >= 0 && start + count <= values.count)
        guard count > 0 else { return }
        let size = byteCount(count: count, width: width)
        guard offset >= 0, size <= bytes.count - offset else {
            throw ColumnError(.truncated(needed: size - (bytes.count - offset)), at: offset)
        }
        if width == 0 {
            for index in start..<(start + count) { values[index] = 0 }
            return
        }
        unsafe values.withUnsafeMutableBufferPointer { target in
            guard let first = target.baseAddress else { return }
            let output = unsafe first + start
            unsafe bytes.withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                let input = unsafe UnsafeRawPointer(base) + offset
                if bytes.count - offset >= size + 16 {
                    unsafe unpack(input, count: count, width: width, into: output)
                } else {
                    // The kernel loads whole words, so the last values of a blob are read from a padded copy.
                    unsafe withUnsafeTemporaryAllocation(byteCount: size + 16, alignment: 8) { copy in
                        unsafe copy.initializeMemory(as: UInt8.self, repeating: 0)
                        unsafe copy.copyMemory(from: UnsafeRawBufferPointer(start: input, count: size))
                        if let padded = copy.baseAddress {
                            unsafe unpack(UnsafeRawPointer(padded), count: count, width: width, into: output)
                        }
                    }
                }
            }
        }
    }

    /// The kernel: 16 readable bytes must follow the packed ones.
    private static func unpack(_ input: UnsafeRawPointer, count: Int, width: Int, into output: UnsafeMutablePointer<Int64>) {
        let mask = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
        var bit = 0
        if width <= 57 {
            for index in 0..<count {
                let word = unsafe UInt64(littleEndian: input.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
                unsafe output[index] = Int64(bitPattern: (word &>> UInt64(bit & 7)) & mask)
                bit += width
            }
        } else {
            for index in 0..<count {
                let shift = UInt64(bit & 7)
                let low = unsafe UInt64(littleEndian: input.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self)) &>> shift
                let high = unsafe UInt64(input.load(fromByteOffset: (bit >> 3) + 8, as: UInt8.self))
                let word = shift == 0 ? low : low | (high &<< (64 - shift))
                unsafe output[index] = Int64(bitPattern: word & mask)
                bit += width
            }
        }
    }
}

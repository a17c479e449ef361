import CSnappy

// Every call into libsnappy is in this file.

/// Appends `input`, compressed in snappy's block format.
func snappyCompress(_ input: Span<UInt8>, appendingTo output: inout [UInt8]) throws(CompressionError) {
    var length = snappy_max_compressed_length(input.count)
    var status = SNAPPY_OK
    output.append(addingCapacity: length) { spare in
        unsafe spare.withUnsafeMutableBufferPointer { target, initialized in
            unsafe input.withUnsafeBytes { source in
                // libsnappy wants a pointer even to no bytes, so the target stands in for an empty source.
                let start = unsafe source.baseAddress ?? UnsafeRawPointer(target.baseAddress!)
                status = unsafe snappy_compress(
                    start.assumingMemoryBound(to: CChar.self), source.count,
                    UnsafeMutableRawPointer(target.baseAddress!).assumingMemoryBound(to: CChar.self), &length)
            }
            if status == SNAPPY_OK { initialized = length }
        }
    }
    // With room for the bound there is nothing else that could be wrong.
    guard status == SNAPPY_OK else { throw .outOfMemory }
}

/// Appends the content of one block of snappy's block format.
///
/// The format states the content size first. Room for it is made only when it is within `limit` and a block of this length can expand
/// to it at all: a copy of three bytes yields at most 64, so the content is at most 22 times the block.
func snappyDecompress(_ input: Span<UInt8>, limit: Int, appendingTo output: inout [UInt8]) throws(CompressionError) {
    let (stated, headerSize) = try snappyStatedSize(input)
    guard stated <= UInt64(max(limit, 0)) else { throw .tooLarge(limit: limit) }
    let size = Int(stated)
    guard size <= input.count.multipliedSaturating(by: 22) else {
        throw .corrupt(offset: 0, reason: "the block states \(size) bytes of content, more than \(input.count) bytes can hold")
    }
    guard input.count > headerSize || size == 0 else { throw .truncated }

    var status = SNAPPY_OK
    // One byte more, so that there is a pointer to give even for no content.
    output.append(addingCapacity: size + 1) { spare in
        unsafe spare.withUnsafeMutableBufferPointer { target, initialized in
            var length = size
            unsafe input.withUnsafeBytes { source in
                status = unsafe snappy_uncompress(
                    source.baseAddress!.assumingMemoryBound(to: CChar.self), source.count,
                    UnsafeMutableRawPointer(target.baseAddress!).assumingMemoryBound(to: CChar.self), &length)
            }
            if status == SNAPPY_OK { initialized = length }
        }
    }
    guard status == SNAPPY_OK else {
        throw .corrupt(offset: headerSize, reason: "invalid snappy data, or less of it than the stated content needs")
    }
}

/// The content size at the front of a block, an unsigned LEB128 number of at most 32 bits, and the length of that number.
func snappyStatedSize(_ input: Span<UInt8>) throws(CompressionError) -> (size: UInt64, headerSize: Int) {
    var size: UInt64 = 0
    for index in 0..<5 {
        guard index < input.count else { throw .truncated }
        size |= UInt64(input[index] & 0x7F) << UInt64(7 * index)
        if input[index] < 0x80 {
            guard size <= UInt64(UInt32.max) else { break }
            return (size, index + 1)
        }
    }
    throw .corrupt(offset: 0, reason: "the content size is not a number of 32 bits")
}

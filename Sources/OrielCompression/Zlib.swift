import CZlib

// Every call into zlib is in this file. A z_stream must not move once it is initialized, so it lives on the heap for as long as
// the value that owns it; the pointers in it are set before each call from a span or from spare capacity, and are stale after it.

/// What surrounds a deflate stream.
enum DeflateWrapper {
    /// RFC 1952.
    case gzip
    /// RFC 1950; what HTTP calls "deflate".
    case zlib
    /// RFC 1951 alone.
    case raw

    /// The window size of 2^15 with the addition or the sign by which zlib is told the wrapper.
    fileprivate var windowBits: Int32 {
        switch self {
        case .gzip: 15 + 16
        case .zlib: 15
        case .raw: -15
        }
    }
}

/// Decompresses deflate streams.
@safe
struct Inflater: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    init(_ wrapper: DeflateWrapper) throws(CompressionError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe inflateInit2_(stream, wrapper.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .outOfMemory }
    }

    deinit {
        // A stream whose initialization failed has no state, which zlib recognizes.
        _ = unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Decompresses one stream (one member of a gzip file) that begins at `offset` of `input`.
    /// - Returns: the offset behind the stream.
    mutating func decompressMember(
        _ input: Span<UInt8>,
        from offset: Int,
        into sink: inout BoundedSink,
        _ output: inout [UInt8]
    ) throws(CompressionError) -> Int {
        let stream = unsafe self.stream
        guard unsafe inflateReset(stream) == Z_OK else { throw .outOfMemory }
        var consumed = offset
        while true {
            var status = Z_OK
            let before = consumed
            let written = unsafe try sink.fill(&output) { (target) throws(CompressionError) -> Int in
                let room = min(target.count, Int(UInt32.max))
                unsafe input.withUnsafeBytes { source in
                    let available = min(source.count - consumed, Int(UInt32.max))
                    // zlib reads through this pointer only; its type lacks const for history's sake.
                    let start = unsafe source.baseAddress?.advanced(by: consumed).assumingMemoryBound(to: UInt8.self)
                    unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: start)
                    unsafe stream.pointee.avail_in = UInt32(available)
                    unsafe stream.pointee.next_out = target.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(room)
                    status = unsafe inflate(stream, Z_NO_FLUSH)
                    consumed += unsafe available - Int(stream.pointee.avail_in)
                }
                switch status {
                case Z_OK, Z_STREAM_END, Z_BUF_ERROR: break
                case Z_NEED_DICT: throw .unsupported(name: "deflate with a preset dictionary")
                case Z_MEM_ERROR: throw .outOfMemory
                default:
                    let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
                    throw .corrupt(offset: consumed, reason: reason ?? "invalid deflate data")
                }
                return unsafe room - Int(stream.pointee.avail_out)
            }
            if status == Z_STREAM_END { return consumed }
            if written == 0, consumed == before {
                sink.undo(&output)
                throw .truncated
            }
        }
    }
}

/// Compresses `input` as one deflate stream.
func deflated(_ input: Span<UInt8>, _ wrapper: DeflateWrapper, level: Int) throws(CompressionError) -> [UInt8] {
    var stream = unsafe z_stream()
    return try unsafe withUnsafeMutablePointer(to: &stream) { (stream) throws(CompressionError) -> [UInt8] in
        let level = Int32(min(max(level, 0), 9))
        let status = unsafe deflateInit2_(
            stream, level, Z_DEFLATED, wrapper.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .outOfMemory }
        defer { _ = unsafe deflateEnd(stream) }

        var output: [UInt8] = []
        var consumed = 0
        var ended = false
        while !ended {
            // The bound covers the whole input; only beyond 4 GiB does it take more than one round.
            let room = Int(min(unsafe deflateBound(stream, UInt(input.count - consumed)), UInt(UInt32.max)))
            output.append(addingCapacity: room) { spare in
                unsafe spare.withUnsafeMutableBufferPointer { target, initialized in
                    unsafe input.withUnsafeBytes { source in
                        let available = min(source.count - consumed, Int(UInt32.max))
                        let start = unsafe source.baseAddress?.advanced(by: consumed).assumingMemoryBound(to: UInt8.self)
                        unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: start)
                        unsafe stream.pointee.avail_in = UInt32(available)
                        unsafe stream.pointee.next_out = target.baseAddress
                        unsafe stream.pointee.avail_out = UInt32(room)
                        let isLast = consumed + available == source.count
                        ended = unsafe deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END
                        consumed += unsafe available - Int(stream.pointee.avail_in)
                        initialized = unsafe room - Int(stream.pointee.avail_out)
                    }
                }
            }
        }
        return output
    }
}

import CZstd
import Synchronization

// Every call into libzstd is in this file. The pointers that it hands over come from a span or from the spare capacity of an
// array, with the length of that same span or capacity, and never outlive the call.

/// A zstd compressor with a working state that is kept from call to call.
///
/// One value serves one thread at a time. Making one costs some hundred kilobytes and microseconds, a call nothing beyond the work itself,
/// so keep it for as long as pages come.
@safe
public struct ZstdCompressor: ~Copyable {
    /// Levels from fast (negative) to small. Level 1 suits data that is soon rewritten, level 3 data that stays.
    public static var levels: ClosedRange<Int> { Int(ZSTD_minCLevel())...Int(ZSTD_maxCLevel()) }

    /// Nil when libzstd found no memory; each call then throws.
    private let context: OpaquePointer?

    /// Makes a compressor. A level outside ``levels`` is taken as the nearest one inside.
    public init(level: Int = 3) {
        unsafe context = ZSTD_createCCtx()
        if let context = unsafe context {
            let level = Int32(min(max(level, Self.levels.lowerBound), Self.levels.upperBound))
            _ = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        }
    }

    deinit {
        _ = unsafe ZSTD_freeCCtx(context)
    }

    /// The largest number of bytes that `count` bytes can become.
    public static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) }

    /// Compresses `input` as one frame, which states its content size, and appends it to `output`.
    ///
    /// The spare capacity that the worst case asks for (``bound(_:)``) stays in `output`, for the next call to use.
    /// - Returns: the size of the frame in bytes.
    /// - Throws: ``CompressionError/outOfMemory``.
    @discardableResult
    public mutating func compress(_ input: Span<UInt8>, appendingTo output: inout [UInt8]) throws(CompressionError) -> Int {
        guard let context = unsafe context else { throw .outOfMemory }
        var result = 0
        output.append(addingCapacity: Self.bound(input.count)) { spare in
            unsafe spare.withUnsafeMutableBufferPointer { target, initialized in
                result = unsafe input.withUnsafeBytes { source in
                    unsafe ZSTD_compress2(context, target.baseAddress, target.count, source.baseAddress, source.count)
                }
                if ZSTD_isError(result) == 0 { initialized = result }
            }
        }
        // With room for the bound nothing but memory can be missing.
        if ZSTD_isError(result) != 0 { throw .outOfMemory }
        return result
    }
}

/// A zstd decompressor with a working state that is kept from call to call.
///
/// One value serves one thread at a time. Working states of values that are gone serve later ones, so that making one costs next to nothing.
@safe
public struct ZstdDecompressor: ~Copyable {
    /// The largest window that a frame of unknown origin may ask for: 8 MiB, what RFC 9659 demands of HTTP content.
    private static let windowLogMax: Int32 = 23

    /// Nil when libzstd found no memory; each call then throws.
    private let context: OpaquePointer?
    /// Whether the working state may hold a window, which is too large to be kept.
    private var hasWindow = false

    private static let idle = IdleContexts()

    /// Makes a decompressor.
    public init() {
        if let kept = unsafe Self.idle.take() {
            unsafe context = kept
            return
        }
        unsafe context = ZSTD_createDCtx()
        if let context = unsafe context {
            _ = unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLogMax)
        }
    }

    deinit {
        guard let context = unsafe context else { return }
        if !hasWindow, unsafe Self.idle.keep(context) { return }
        _ = unsafe ZSTD_freeDCtx(context)
    }

    /// Decompresses frames whose content is known to be `exactSize` bytes and appends that to `output`.
    ///
    /// This is the way for pages whose size an already verified header states: room for `exactSize` bytes is made at once, unless the frame
    /// itself states another size. The caller bounds `exactSize`. On an error `output` is as it was.
    /// - Throws: ``CompressionError/corrupt(offset:reason:)`` when the content has another size or is damaged (libzstd does not say
    ///   where, the offset is 0), ``CompressionError/truncated``, ``CompressionError/outOfMemory``.
    public mutating func decompress(
        _ input: Span<UInt8>,
        exactSize: Int,
        appendingTo output: inout [UInt8]
    ) throws(CompressionError) {
        guard let context = unsafe context else { throw .outOfMemory }
        guard exactSize >= 0 else { throw .corrupt(offset: 0, reason: "a negative size is expected") }
        if let stated = Self.statedSize(input), stated > UInt64(exactSize) {
            throw .corrupt(offset: 0, reason: "the frame states \(stated) bytes of content, \(exactSize) are expected")
        }
        var result = 0
        output.append(addingCapacity: exactSize) { spare in
            unsafe spare.withUnsafeMutableBufferPointer { target, initialized in
                result = unsafe input.withUnsafeBytes { source in
                    // The buffer can be larger than asked for, the content must not be.
                    unsafe ZSTD_decompressDCtx(context, target.baseAddress, exactSize, source.baseAddress, source.count)
                }
                if result == exactSize { initialized = exactSize }
            }
        }
        if ZSTD_isError(result) != 0 { throw Self.error(result, offset: 0, limit: exactSize) }
        guard result == exactSize else {
            throw .corrupt(offset: 0, reason: "the content has \(result) bytes, \(exactSize) are expected")
        }
    }

    /// Decompresses all frames of `input`, whose content may have any size up to `limit` bytes, and appends it to `output`.
    ///
    /// No stated size is trusted: memory grows with the content that is really there. On an error `output` is as it was.
    /// - Returns: the number of bytes appended.
    /// - Throws: ``CompressionError``.
    @discardableResult
    public mutating func decompress(
        _ input: Span<UInt8>,
        limit: Int,
        appendingTo output: inout [UInt8]
    ) throws(CompressionError) -> Int {
        guard let context = unsafe context else { throw .outOfMemory }
        guard input.count > 0 else { throw .truncated }
        hasWindow = true
        _ = unsafe ZSTD_DCtx_reset(context, ZSTD_reset_session_only)

        let hint = Self.statedSize(input).map { Int(clamping: $0) } ?? input.count.multipliedSaturating(by: 4)
        var sink = BoundedSink(output: &output, limit: limit, expected: hint, inputCount: input.count)
        var consumed = 0
        var pending = 1
        while consumed < input.count || pending != 0 {
            let before = consumed
            let written = unsafe try sink.fill(&output) { (target) throws(CompressionError) -> Int in
                var out = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                let result = unsafe input.withUnsafeBytes { source in
                    var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: consumed)
                    let result = unsafe ZSTD_decompressStream(context, &out, &from)
                    consumed = unsafe from.pos
                    return result
                }
                if ZSTD_isError(result) != 0 { throw Self.error(result, offset: consumed, limit: limit) }
                pending = result
                return unsafe out.pos
            }
            // All input is taken, the frame is not at its end, and there was room for more.
            if written == 0, consumed == before, pending != 0 {
                sink.undo(&output)
                throw .truncated
            }
        }
        return output.count - sink.start
    }

    /// The content size that the first frame states, if it states one.
    private static func statedSize(_ input: Span<UInt8>) -> UInt64? {
        let size = unsafe input.withUnsafeBytes { unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        // The two topmost values are ZSTD_CONTENTSIZE_UNKNOWN and ZSTD_CONTENTSIZE_ERROR, macros that Swift cannot import.
        return size >= UInt64.max - 1 ? nil : size
    }

    private static func error(_ result: Int, offset: Int, limit: Int) -> CompressionError {
        // An error is the negated code of zstd_errors.h, which is stable from libzstd 1.3.1 on.
        switch -result {
        case 14: .unsupported(name: "a zstd feature of this frame")
        case 16: .unsupported(name: "a zstd window above \(1 << (windowLogMax - 20)) MiB")
        case 30, 32: .unsupported(name: "zstd with a dictionary")
        case 64: .outOfMemory
        case 70: .corrupt(offset: offset, reason: "the content is larger than \(limit) bytes")
        case 72: .truncated
        default: .corrupt(offset: offset, reason: unsafe String(cString: ZSTD_getErrorName(result)))
        }
    }
}

/// Working states of decompressors that are gone. Making one costs some hundred kilobytes of fresh memory, more time than a page takes.
@safe
private final class IdleContexts: Sendable {
    /// What is kept at most: about 160 KB each.
    private static let limit = 16

    /// Addresses of states that nobody else holds.
    private let addresses = Mutex<[UInt]>([])

    func take() -> OpaquePointer? {
        guard let address = addresses.withLock({ $0.popLast() }) else { return nil }
        return unsafe OpaquePointer(bitPattern: address)
    }

    /// Keeps a state, which the caller does not use any more; `false` when there are enough.
    func keep(_ context: OpaquePointer) -> Bool {
        let address = UInt(bitPattern: context)
        return addresses.withLock { addresses in
            guard addresses.count < Self.limit else { return false }
            addresses.append(address)
            return true
        }
    }
}

import CZlib
import OrielTelemetry
import Synchronization

/// Compresses request bodies as gzip. All calls to zlib are in this file.
///
/// The stream's state, some 256 KiB, is made at the first use and used again for each body.
@safe
struct Deflater: ~Copyable, Sendable {
    /// Bodies below it are sent as they are: there is little to win.
    static let threshold = 1 << 10
    /// The fastest. Telemetry repeats itself so much that the others win little.
    private static let level: Int32 = 1
    /// A window of 2^15 bytes; 16 more stands for gzip's frame.
    private static let windowBits: Int32 = 15 + 16
    private static let memoryLevel: Int32 = 8

    /// The address of the stream; 0 before the first use. The stream must not move once it is initialized, and belongs to this value alone, which a pointer cannot tell
    /// the compiler, so it is kept as an integer.
    private var address: UInt = 0

    init() {}

    deinit {
        guard let stream = unsafe UnsafeMutablePointer<z_stream>(bitPattern: address) else { return }
        _ = unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// The body as one gzip member; `nil` when zlib has no memory, or no use.
    mutating func compress(_ input: [UInt8]) -> [UInt8]? {
        guard input.count <= Int(UInt32.max) / 2, prepare(), let stream = unsafe UnsafeMutablePointer<z_stream>(bitPattern: address) else { return nil }
        let room = Int(unsafe deflateBound(stream, UInt(input.count)))
        var isDone = false
        let output = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
            unsafe input.withUnsafeBufferPointer { source in
                // zlib reads through this pointer only; its type lacks const for history's sake. Both buffers outlive the call.
                unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                isDone = unsafe deflate(stream, Z_FINISH) == Z_STREAM_END
                count = unsafe target.count - Int(stream.pointee.avail_out)
            }
        }
        return isDone ? output : nil
    }

    private mutating func prepare() -> Bool {
        if let stream = unsafe UnsafeMutablePointer<z_stream>(bitPattern: address) { return unsafe deflateReset(stream) == Z_OK }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe deflateInit2_(
            stream, Self.level, Z_DEFLATED, Self.windowBits, Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe stream.deallocate()
            return false
        }
        address = UInt(bitPattern: stream)
        return true
    }
}

import OrielCompression
import Synchronization

/// Compressors that requests use one after the other: making one costs more than compressing a small request.
final class CompressorPool: Sendable {
    private final class Slot: Sendable {
        let compressor = Mutex(ZstdCompressor(level: 1))
    }

    private let free = Mutex<[Slot]>([])
    /// Idle ones beyond this are let go.
    private static let limit = 16

    /// Calls `body` with a compressor of level 1 that nobody else uses meanwhile.
    func withCompressor<Value, Failure: Error>(_ body: (inout ZstdCompressor) throws(Failure) -> sending Value) throws(Failure) -> Value {
        let slot = free.withLock { $0.popLast() } ?? Slot()
        defer {
            free.withLock { free in
                if free.count < CompressorPool.limit {
                    free.append(slot)
                }
            }
        }
        return try slot.compressor.withLock { (compressor) throws(Failure) -> sending Value in try body(&compressor) }
    }
}

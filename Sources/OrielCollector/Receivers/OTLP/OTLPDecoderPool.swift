import OrielOTLP
import Synchronization

/// Decoders that wait for work: each remembers the streams and keys that it has seen, so they are used again.
final class OTLPDecoderPool: Sendable {
    private let idle = Mutex<[OTLPDecoder]>([])
    private let options: OTLPDecoder.Options
    private let capacity: Int

    /// - Parameter capacity: how many decoders are kept when nobody uses them.
    init(options: OTLPDecoder.Options, capacity: Int) {
        self.options = options
        self.capacity = capacity
    }

    /// Does something with a decoder that nobody else uses meanwhile.
    func withDecoder<Result, Failure: Error>(_ body: (inout OTLPDecoder) throws(Failure) -> Result) throws(Failure) -> Result {
        var decoder = idle.withLock { $0.popLast() } ?? OTLPDecoder(options: options)
        defer {
            let returned = decoder
            idle.withLock { if $0.count < capacity { $0.append(returned) } }
        }
        return try body(&decoder)
    }
}

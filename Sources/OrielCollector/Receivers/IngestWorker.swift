import NIOCore
import NIOPosix
import OrielCompression

/// Inflates and decodes bodies where it hurts nobody: large ones on threads of its own, small ones where they are.
///
/// The budget is asked before memory is taken: for the inflated bytes by what the body states, corrected when they are there, and
/// once more for the batch that they become.
final class IngestWorker: Sendable {
    /// Bodies up to this size are decoded in place; it takes well under a millisecond.
    static let inlineSize = 64 << 10

    private let pool: NIOThreadPool
    private let limit: Int

    /// - Parameters:
    ///   - threads: for large bodies.
    ///   - limit: bytes of an inflated body.
    init(threads: Int, limit: Int) {
        pool = NIOThreadPool(numberOfThreads: threads)
        self.limit = limit
        pool.start()
    }

    /// Ends the threads when they have done what waits.
    func stop() async {
        do {
            try await pool.shutdownGracefully()
        } catch {
            // The pool only fails to stop when it was stopped before.
        }
    }

    /// Inflates a body and decodes it.
    ///
    /// - Parameters:
    ///   - encodings: as the header lists them, in the order in which they were applied.
    ///   - decode: gets the inflated bytes; is called on a thread of the pool or on the caller's.
    func decode<Result: Sendable>(
        _ body: ByteBuffer, encodings: [ContentEncoding], reservation: AdmissionReservation,
        decode: @escaping @Sendable (Span<UInt8>) throws(IngestFailure) -> Result
    ) async throws(IngestFailure) -> Result {
        let limit = limit
        let work: @Sendable () throws(IngestFailure) -> Result = { () throws(IngestFailure) -> Result in
            if encodings.isEmpty {
                guard body.readableBytes <= limit else { throw .tooLarge(limit: limit) }
                guard reservation.grow(by: body.readableBytes) else { throw .budgetSpent }
                return try decode(body.readableBytesUInt8Span)
            }
            var bytes = try Self.inflate(body, encodings[encodings.count - 1], limit: limit, reservation: reservation)
            for encoding in encodings.dropLast().reversed() {
                bytes = try Self.inflate(ByteBuffer(bytes: bytes), encoding, limit: limit, reservation: reservation)
            }
            guard reservation.grow(by: bytes.count) else { throw .budgetSpent }
            return try decode(bytes.span)
        }
        let isSmall = body.readableBytes <= (encodings.isEmpty ? Self.inlineSize : Self.inlineSize / 8)
        if isSmall { return try work() }
        do {
            return try await pool.runIfActive { try work() }
        } catch let failure as IngestFailure {
            throw failure
        } catch {
            throw .overloaded("the server is shutting down", retryAfterSeconds: 5)
        }
    }

    private static func inflate(
        _ body: ByteBuffer, _ encoding: ContentEncoding, limit: Int, reservation: AdmissionReservation
    ) throws(IngestFailure) -> [UInt8] {
        var reserved = InflatedSize.reservation(encoding, body, limit: limit)
        guard reservation.grow(by: reserved) else { throw .budgetSpent }
        do throws(CompressionError) {
            let bytes: [UInt8]
            do throws(CompressionError) {
                bytes = try encoding.decompress(body.readableBytesUInt8Span, limit: reserved)
            } catch {
                guard case .tooLarge = error, reserved < limit else { throw error }
                // The body is larger than it said. That costs it a second pass, not us memory.
                guard reservation.grow(by: limit - reserved) else { throw error }
                reserved = limit
                bytes = try encoding.decompress(body.readableBytesUInt8Span, limit: limit)
            }
            reservation.shrink(by: reserved - bytes.count)
            return bytes
        } catch {
            // Now, and not when the request has ended: the next one of the connection may be faster.
            reservation.shrink(by: reserved)
            switch error {
            case .tooLarge where reserved < limit: throw .budgetSpent
            case .tooLarge: throw .tooLarge(limit: limit)
            case .unsupported: throw .unsupportedEncoding("\(error)")
            case .outOfMemory: throw .failed("\(error)")
            case .corrupt, .truncated: throw .malformed("\(encoding.rawValue): \(error)")
            }
        }
    }
}

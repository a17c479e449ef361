import NIOCore
import OrielOTLP

/// The framing of gRPC messages: one flag byte, a big-endian length of four bytes, the message.
enum GRPCFrame {
    static let headerSize = 5

    /// The single message of a unary request.
    struct Message: Sendable, Equatable {
        var isCompressed: Bool
        var bytes: ByteBuffer
    }

    /// Reads the one message of a unary request body.
    ///
    /// - Throws: ``GRPCStatus``: INTERNAL for a broken frame, UNIMPLEMENTED for more than one message, RESOURCE_EXHAUSTED for a
    ///   message over the limit.
    static func read(_ body: ByteBuffer, limit: Int) throws(GRPCStatus) -> Message {
        var body = body
        guard let flag = body.readInteger(as: UInt8.self), let length = body.readInteger(as: UInt32.self) else {
            throw GRPCStatus(.internalError, "the request holds \(body.readableBytes) bytes, less than the 5 of a message's frame")
        }
        guard flag <= 1 else {
            throw GRPCStatus(.internalError, "the message's compression flag is \(flag), neither 0 nor 1")
        }
        guard Int(length) <= limit else {
            throw GRPCStatus(.resourceExhausted, "the message of \(length) bytes exceeds the limit of \(limit) bytes")
        }
        guard let bytes = body.readSlice(length: Int(length)) else {
            throw GRPCStatus(.internalError, "the frame announces \(length) bytes but \(body.readableBytes) arrived")
        }
        guard body.readableBytes == 0 else {
            throw GRPCStatus(.unimplemented, "a unary call carries one message, this one is followed by \(body.readableBytes) bytes")
        }
        return Message(isCompressed: flag == 1, bytes: bytes)
    }

    /// The frame of an uncompressed message.
    static func write(_ message: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(headerSize + message.readableBytes)
        frame.writeInteger(UInt8(0))
        frame.writeInteger(UInt32(clamping: message.readableBytes))
        frame.writeImmutableBuffer(message)
        return frame
    }
}

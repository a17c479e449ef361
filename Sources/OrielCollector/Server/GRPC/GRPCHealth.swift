import NIOCore
import OrielOTLP
import OrielTelemetry

/// `grpc.health.v1.Health`: Check answers for the server as a whole (service "") and for each service that is served.
enum GRPCHealth {
    /// Bytes of a message that nobody needs a token for.
    private static let maximumSize = 4096

    /// Adds the health methods. Watch is a stream and answers UNIMPLEMENTED, which clients take as "poll Check".
    ///
    /// - Parameter worker: inflates messages of clients that compress all they send.
    static func add(to services: inout GRPCServices, serving names: Set<String>, worker: IngestWorker, isReady: @escaping @Sendable () -> Bool) {
        services.on(nil, "/grpc.health.v1.Health/Check") { call in
            let name = try await serviceName(in: call, worker)
            guard name.isEmpty || names.contains(name) else { throw GRPCStatus(.notFound, "there is no service \"\(name.prefix(200))\"") }
            // HealthCheckResponse: 1 status; 1 SERVING, 2 NOT_SERVING.
            return ByteBuffer(bytes: [0x08, isReady() ? 1 : 2] as [UInt8])
        }
        services.on(nil, "/grpc.health.v1.Health/Watch") { _ in
            throw GRPCStatus(.unimplemented, "Watch is not offered; call Check")
        }
    }

    /// HealthCheckRequest: 1 service (string); without it the whole server is meant.
    private static func serviceName(in call: GRPCCall, _ worker: IngestWorker) async throws(GRPCStatus) -> String {
        let size = call.message.bytes.readableBytes
        guard size <= maximumSize else {
            throw GRPCStatus(.resourceExhausted, "the HealthCheckRequest of \(size) bytes exceeds the limit of \(maximumSize) bytes")
        }
        let encodings = try call.encodings
        do throws(IngestFailure) {
            return try await worker.decode(call.message.bytes, encodings: encodings, reservation: call.reservation) {
                (bytes) throws(IngestFailure) -> String in
                do throws(WireError) {
                    return try serviceName(in: bytes)
                } catch {
                    throw .malformed("the HealthCheckRequest cannot be decoded: \(error)")
                }
            }
        } catch {
            throw error.grpcStatus
        }
    }

    private static func serviceName(in bytes: Span<UInt8>) throws(WireError) -> String {
        var name = ""
        var reader = WireReader(start: 0, end: bytes.count)
        while let tag = try reader.nextTag(in: bytes) {
            if tag == WireReader.Tag(number: 1, type: .lengthDelimited) {
                name = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
            } else {
                try reader.skip(tag, in: bytes)
            }
        }
        return name
    }
}

import NIOCore
import OrielOTLP

/// `grpc.health.v1.Health`: Check answers for the server as a whole (service "") and for each service that is served.
enum GRPCHealth {
    /// Adds the health methods. Watch is a stream and answers UNIMPLEMENTED, which clients take as "poll Check".
    static func add(to services: inout GRPCServices, serving names: Set<String>, isReady: @escaping @Sendable () -> Bool) {
        services.on(nil, "/grpc.health.v1.Health/Check") { call in
            guard !call.message.isCompressed else {
                throw GRPCStatus(.unimplemented, "health checks are not accepted compressed")
            }
            guard let name = serviceName(in: call.message.bytes) else {
                throw GRPCStatus(.invalidArgument, "the HealthCheckRequest cannot be decoded")
            }
            guard name.isEmpty || names.contains(name) else { throw GRPCStatus(.notFound, "there is no service \"\(name)\"") }
            // HealthCheckResponse: 1 status; 1 SERVING, 2 NOT_SERVING.
            return ByteBuffer(bytes: [0x08, isReady() ? 1 : 2] as [UInt8])
        }
        services.on(nil, "/grpc.health.v1.Health/Watch") { _ in
            throw GRPCStatus(.unimplemented, "Watch is not offered; call Check")
        }
    }

    /// HealthCheckRequest: 1 service (string); an empty message asks for the whole server.
    private static func serviceName(in message: ByteBuffer) -> String? {
        var message = message
        if message.readableBytes == 0 { return "" }
        guard message.readInteger(as: UInt8.self) == 0x0A, let length = message.readInteger(as: UInt8.self), length < 0x80 else {
            return nil
        }
        return message.readString(length: Int(length))
    }
}

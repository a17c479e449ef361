import NIOCore
import OrielOTLP

/// OTLP/gRPC: the unary method Export of each signal's service.
extension OTLPReceiver {
    func addMethods(to services: inout GRPCServices) {
        for signal in OTLPSignal.allCases {
            services.on(.ingest, "/\(signal.service)/Export") { call in
                try await self.export(call, signal: signal)
            }
        }
        services.on(.ingest, "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export") { _ in
            throw GRPCStatus(.unimplemented, "OTLP profiles are not supported")
        }
    }

    private func export(_ call: GRPCCall, signal: OTLPSignal) async throws(GRPCStatus) -> ByteBuffer {
        let encodings = try call.encodings
        do {
            let outcome = try await receive(
                signal, format: .protobuf, body: call.message.bytes, encodings: encodings, path: signal.path,
                reservation: call.reservation, access: call.access)
            return ByteBuffer(bytes: outcome.encoded(signal.response, format: .protobuf))
        } catch {
            throw error.grpcStatus
        }
    }
}

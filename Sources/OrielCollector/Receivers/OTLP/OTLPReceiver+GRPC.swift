import HTTPTypes
import NIOCore
import OrielCompression
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
        let encodings = try Self.encodings(of: call)
        do {
            let outcome = try await receive(
                signal, format: .protobuf, body: call.message.bytes, encodings: encodings, path: signal.path,
                reservation: call.reservation, access: call.access)
            return ByteBuffer(bytes: outcome.encoded(signal.response, format: .protobuf))
        } catch {
            throw error.grpcStatus
        }
    }

    private static func encodings(of call: GRPCCall) throws(GRPCStatus) -> [ContentEncoding] {
        guard call.message.isCompressed else { return [] }
        guard let name = call.headers[.grpcEncoding] else {
            throw GRPCStatus(.internalError, "the message is marked as compressed but grpc-encoding does not say how")
        }
        do {
            let encoding = try ContentEncoding(name: name)
            return encoding == .identity ? [] : [encoding]
        } catch {
            throw GRPCStatus(.unimplemented, "\(error)")
        }
    }
}

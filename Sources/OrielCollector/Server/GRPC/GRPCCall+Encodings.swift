import HTTPTypes
import OrielCompression
import OrielOTLP

extension GRPCCall {
    /// How the message is compressed.
    ///
    /// - Throws: ``GRPCStatus``: INTERNAL when it does not say how, UNIMPLEMENTED for an encoding that is not known.
    var encodings: [ContentEncoding] {
        get throws(GRPCStatus) {
            guard message.isCompressed else { return [] }
            guard let name = headers[.grpcEncoding] else {
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
}

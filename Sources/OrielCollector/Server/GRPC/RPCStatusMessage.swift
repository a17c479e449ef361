import OrielTelemetry

/// `google.rpc.Status`, the error message that OTLP uses over HTTP and gRPC alike.
///
/// Fields: 1 code (int32), 2 message (string), 3 details (repeated Any). The only detail that is written is
/// `google.rpc.RetryInfo` (1 retry_delay: Duration, whose field 1 is seconds).
struct RPCStatusMessage: Sendable {
    var code: Int
    var message: String
    var retryDelaySeconds: Int?

    /// The protobuf encoding.
    var protobuf: [UInt8] {
        var bytes: [UInt8] = []
        if code != 0 {
            bytes.append(0x08)
            Self.appendVarint(UInt64(code), to: &bytes)
        }
        if !message.isEmpty { Self.appendField(0x12, Array(message.utf8), to: &bytes) }
        if let retryDelaySeconds {
            var duration: [UInt8] = [0x08]
            Self.appendVarint(UInt64(max(0, retryDelaySeconds)), to: &duration)
            var retryInfo: [UInt8] = []
            Self.appendField(0x0A, duration, to: &retryInfo)
            var any: [UInt8] = []
            Self.appendField(0x0A, Array("type.googleapis.com/google.rpc.RetryInfo".utf8), to: &any)
            Self.appendField(0x12, retryInfo, to: &any)
            Self.appendField(0x1A, any, to: &bytes)
        }
        return bytes
    }

    /// The JSON encoding.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("code")
            writer.integer(code)
            writer.key("message")
            writer.string(message)
            guard let retryDelaySeconds else { return }
            writer.key("details")
            writer.array { writer in
                writer.object { writer in
                    writer.key("@type")
                    writer.string("type.googleapis.com/google.rpc.RetryInfo")
                    writer.key("retryDelay")
                    writer.string("\(retryDelaySeconds)s")
                }
            }
        }
        return writer.bytes
    }

    private static func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private static func appendField(_ tag: UInt8, _ content: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(tag)
        appendVarint(UInt64(content.count), to: &bytes)
        bytes.append(contentsOf: content)
    }
}

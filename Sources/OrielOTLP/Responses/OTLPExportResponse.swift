import OrielTelemetry

/// The reply to an export request: empty, or what was not taken.
public struct OTLPExportResponse: Hashable, Sendable {
    /// The three services, whose replies differ in a field's name.
    public enum Service: Hashable, Sendable, CaseIterable {
        case traces
        case metrics
        case logs

        var response: OTLPMessage {
            switch self {
            case .traces: .exportTraceResponse
            case .metrics: .exportMetricsResponse
            case .logs: .exportLogsResponse
            }
        }
    }

    /// Spans, data points or log records that were not taken; clients must not send them again.
    public var rejectedCount: Int64
    /// What was wrong; with nothing rejected, a warning.
    public var errorMessage: String

    public init(rejectedCount: Int64 = 0, errorMessage: String = "") {
        self.rejectedCount = rejectedCount
        self.errorMessage = errorMessage
    }

    /// The reply that tells of these rejections.
    public init(_ rejections: OTLPRejections) {
        self.init(rejectedCount: Int64(rejections.count), errorMessage: rejections.message)
    }

    /// Whether everything was taken without a remark; `partial_success` is then left out, and the protobuf form is empty.
    public var isFullSuccess: Bool { rejectedCount == 0 && errorMessage.isEmpty }

    /// The reply as a request of this format gets it.
    public func encoded(_ service: Service, format: OTLPFormat) -> [UInt8] {
        var writer = WireWriter()
        if !isFullSuccess {
            writer.messageField(1) { writer in
                if rejectedCount != 0 { writer.varintField(1, UInt64(bitPattern: rejectedCount)) }
                writer.text(2, errorMessage)
            }
        }
        return OTLPEncoder.finish(writer, root: service.response, format: format)
    }

    /// Reads a reply.
    public init(_ bytes: Span<UInt8>, service: Service, format: OTLPFormat) throws(OTLPError) {
        self.init()
        switch format {
        case .protobuf: try read(bytes, service: service)
        case .json:
            let protobuf = try OTLPJSON.protobuf(fromJSON: bytes, message: service.response)
            try read(protobuf.span, service: service)
        }
    }

    private mutating func read(_ bytes: Span<UInt8>, service: Service) throws(OTLPError) {
        do throws(WireError) {
            try OTLPRequestWalk.members(1, of: 0..<bytes.count, in: bytes) { (content) throws(WireError) in
                var reader = WireReader(start: content.lowerBound, end: content.upperBound)
                while let tag = try reader.nextTag(in: bytes) {
                    switch tag.rawValue {
                    case 1 << 3: rejectedCount = Int64(bitPattern: try reader.varint(in: bytes))
                    case 2 << 3 | 2: errorMessage = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
                    default: try reader.skip(tag, in: bytes)
                    }
                }
            }
        } catch {
            throw OTLPDecoder.located(error, root: service.response, in: bytes)
        }
    }
}

public import OrielTelemetry

/// OTLP/JSON: the text becomes the protobuf form first, so that the same message gives the same rows either way. An error of the text names
/// its offset and its keys.
extension OTLPDecoder {
    /// Decodes an `ExportTraceServiceRequest` in JSON.
    public mutating func traces(json text: Span<UInt8>) throws(OTLPError) -> DecodedTraces {
        try checkSize(text)
        let bytes = try OTLPJSON.protobuf(fromJSON: text, message: .tracesData)
        return try traces(bytes.span)
    }

    /// Decodes an `ExportLogsServiceRequest` in JSON.
    /// - Parameter receiveTime: the time of records that have none.
    public mutating func logs(json text: Span<UInt8>, receiveTime: Timestamp) throws(OTLPError) -> DecodedLogs {
        try checkSize(text)
        let bytes = try OTLPJSON.protobuf(fromJSON: text, message: .logsData)
        return try logs(bytes.span, receiveTime: receiveTime)
    }
}

public import OrielTelemetry

/// Decodes OTLP requests straight into column batches: no message objects, no allocation per row.
///
/// A decoder is a value that keeps buffers and caches between requests (streams, series, attribute keys that it has seen); use one per
/// thread. What is malformed
/// fails the request with ``OTLPError``; what is well-formed but not acceptable is rejected row by row, and the other rows are kept:
///
/// | Row | Rejected when |
/// |---|---|
/// | span | trace id not 16 bytes or all zero; span id not 8 bytes or all zero; parent id neither empty nor 8 bytes; start, end or an event's time beyond `Int64` |
/// | log record | time or observed time beyond `Int64` |
/// | data point | see ``OTLPMetricMapping`` |
/// | any | the request's resources and scopes together take more than 256 MiB; a value inside more than ``AttributeValue/maximumNesting`` arrays and maps, also in its resource or scope |
///
/// A link whose ids have the wrong length is dropped and counted in the span's dropped links; empty and all-zero ids of links are allowed
/// (OpenTelemetry records such links for
/// their attributes). A log record's ids of wrong length are dropped and the record stays. Both are told in ``OTLPRejections/warnings``.
///
/// Of a scalar that occurs twice the last value counts, embedded messages that occur twice are merged, unknown fields are skipped, and
/// repeated numbers are read packed and unpacked,
/// as protobuf demands. Text is kept byte for byte; it is repaired where it is not valid UTF-8 when it is read as a string, and in
/// resources and scopes.
public struct OTLPDecoder: Sendable {
    /// What a decoder is told once.
    public struct Options: Sendable {
        /// The largest request taken, in bytes; what is decoded must fit the batches' 32-bit offsets.
        public var maximumByteCount = 256 << 20
        /// How metrics become series.
        public var metrics = OTLPMetricOptions()

        public init() {}
    }

    public let options: Options
    var streamCache = OTLPStreamCache()
    var keyHints = AttributeKeyHints()
    var metricTranslator: OTLPMetricTranslator

    public init(options: Options = Options()) {
        self.options = options
        metricTranslator = OTLPMetricTranslator(options: options.metrics)
    }

    /// Decodes an `ExportTraceServiceRequest` (or `TracesData`, which has the same form).
    ///
    /// Complexity: O(*n*) in the bytes.
    public mutating func traces(_ bytes: Span<UInt8>) throws(OTLPError) -> DecodedTraces {
        try checkSize(bytes)
        var decoded = DecodedTraces()
        decoded.batch.reserveCapacity(requestByteCount: bytes.count)
        do throws(WireError) {
            try OTLPRequestWalk.rows(bytes, root: .tracesData, streams: &streamCache, rejections: &decoded.rejections) {
                (row, stream, streams, rejections) throws(WireError) in
                let index = streams.batchIndex(stream, in: &decoded.batch.streams)
                try decoded.batch.appendSpan(row, stream: index, in: bytes, hints: &keyHints, rejections: &rejections)
            }
        } catch {
            throw OTLPDecoder.located(error, root: .tracesData, in: bytes)
        }
        return decoded
    }

    /// Decodes an `ExportLogsServiceRequest` (or `LogsData`, which has the same form).
    /// - Parameter receiveTime: the time of records that have none.
    /// - Complexity: O(*n*) in the bytes.
    public mutating func logs(_ bytes: Span<UInt8>, receiveTime: Timestamp) throws(OTLPError) -> DecodedLogs {
        try checkSize(bytes)
        var decoded = DecodedLogs()
        decoded.batch.reserveCapacity(requestByteCount: bytes.count)
        do throws(WireError) {
            try OTLPRequestWalk.rows(bytes, root: .logsData, streams: &streamCache, rejections: &decoded.rejections) {
                (row, stream, streams, rejections) throws(WireError) in
                let index = streams.batchIndex(stream, in: &decoded.batch.streams)
                try decoded.batch.appendRecord(
                    row, stream: index, receiveTime: receiveTime, in: bytes, hints: &keyHints, rejections: &rejections)
            }
        } catch {
            throw OTLPDecoder.located(error, root: .logsData, in: bytes)
        }
        return decoded
    }

    func checkSize(_ bytes: Span<UInt8>) throws(OTLPError) {
        guard bytes.count <= options.maximumByteCount else { throw OTLPError(.tooLarge(limit: options.maximumByteCount), offset: 0) }
    }

    /// The error with its path, for which the message is walked again.
    static func located(_ error: WireError, root: OTLPMessage, in bytes: Span<UInt8>) -> OTLPError {
        OTLPError(.wire(error.reason), offset: error.offset, path: root.path(to: error.offset, in: bytes))
    }
}

/// The spans of a request.
public struct DecodedTraces: Sendable {
    public var batch = SpanBatch()
    /// What was not taken, or taken with remarks.
    public var rejections = OTLPRejections()

    public init() {}
}

/// The log records of a request.
public struct DecodedLogs: Sendable {
    public var batch = LogBatch()
    /// What was not taken, or taken with remarks.
    public var rejections = OTLPRejections()

    public init() {}
}

import OrielOTLP

/// Small OTLP requests.
enum OTLPSamples {
    static let tracesJSON = """
        {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"lib"},\
        "spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"a1a2a3a4a5a6a7a8","name":"GET /","kind":2,\
        "startTimeUnixNano":"1720000000000000000","endTimeUnixNano":"1720000000005000000","status":{"code":1}}]}]}]}
        """

    /// One good span and one whose id is too short.
    static let partlyBadTracesJSON = """
        {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"a1a2a3a4a5a6a7a8","name":"good"},\
        {"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"a1a2","name":"bad"}]}]}]}
        """

    static let logsJSON = """
        {"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1720000000000000000","body":{"stringValue":"hello"}}]}]}]}
        """

    static let metricsJSON = """
        {"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"1720000000000000000",\
        "asDouble":1.5}]}}]}]}]}
        """

    /// The protobuf form of ``tracesJSON``, repeated so that it holds `count` spans.
    static func traces(count: Int = 1) throws -> [UInt8] {
        var decoder = OTLPDecoder()
        let batch = try decoder.traces(json: Array(tracesJSON.utf8).span).batch
        let one = OTLPEncoder.traces(batch)
        return (0..<count).flatMap { _ in one }
    }
}

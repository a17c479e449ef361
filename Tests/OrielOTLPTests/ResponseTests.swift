import OrielOTLP
import OrielTelemetry
import Testing

@Suite struct ResponseTests {
    @Test func fullSuccessIsEmpty() {
        for service in OTLPExportResponse.Service.allCases {
            #expect(OTLPExportResponse().encoded(service, format: .protobuf).isEmpty)
            #expect(OTLPExportResponse().encoded(service, format: .json) == Array("{}".utf8))
        }
    }

    @Test func partialSuccessIsWrittenAndReadInBothForms() throws {
        let response = OTLPExportResponse(rejectedCount: 3, errorMessage: "bad \"id\"")
        #expect(
            response.encoded(.traces, format: .protobuf) == [0x0A, 0x0C, 0x08, 3, 0x12, 8] + Array("bad \"id\"".utf8))
        let names: [OTLPExportResponse.Service: String] = [
            .traces: "rejectedSpans", .metrics: "rejectedDataPoints", .logs: "rejectedLogRecords",
        ]
        for (service, name) in names {
            let json = response.encoded(service, format: .json)
            #expect(String(decoding: json, as: UTF8.self) == #"{"partialSuccess":{"\#(name)":"3","errorMessage":"bad \"id\""}}"#)
            for format in [OTLPFormat.protobuf, .json] {
                let bytes = response.encoded(service, format: format)
                #expect(try OTLPExportResponse(bytes.span, service: service, format: format) == response)
            }
        }
        let numeric = Array(#"{"partialSuccess":{"rejectedSpans":4,"new":[1]}}"#.utf8)
        #expect(try OTLPExportResponse(numeric.span, service: .traces, format: .json).rejectedCount == 4)
    }

    @Test func aStatusIsWrittenAndReadInBothForms() throws {
        #expect(RPCStatus(.invalidArgument, "bad span id").encoded(.json) == Array(#"{"code":3,"message":"bad span id"}"#.utf8))
        #expect(RPCStatus(.invalidArgument, "x").encoded(.protobuf) == [0x08, 3, 0x12, 1, 0x78])
        let busy = RPCStatus(.unavailable, "busy", retryDelay: 1_500_000_000)
        #expect(
            String(decoding: busy.encoded(.json), as: UTF8.self)
                == #"{"code":14,"message":"busy","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}"#)
        for delay in [nil, 0, 1, 999_999_999, 1_000_000_000, 5_000_000_001] as [Int64?] {
            let status = RPCStatus(.resourceExhausted, "", retryDelay: delay)
            for format in [OTLPFormat.protobuf, .json] {
                let bytes = status.encoded(format)
                #expect(try RPCStatus(bytes.span, format: format) == status)
            }
        }
    }

    @Test func damagedRepliesAreErrorsAndNeverCrash() throws {
        let bytes = RPCStatus(.unavailable, "busy", retryDelay: 1_500_000_000).encoded(.protobuf)
        for end in 1..<bytes.count {
            let part = Array(bytes[..<end])
            do { _ = try RPCStatus(part.span, format: .protobuf) } catch { #expect(error.offset <= end) }
        }
        let hostile = Array(#"{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1e300s"}]}"#.utf8)
        #expect(try RPCStatus(hostile.span, format: .json).retryDelay == .max)
        var writer = WireWriter()
        writer.messageField(3) { writer in
            writer.stringField(1, "type.googleapis.com/google.rpc.RetryInfo")
            writer.messageField(2) { writer in
                writer.messageField(1) { writer in
                    writer.varintField(1, UInt64(Int64.max))
                    writer.varintField(2, UInt64(Int64.max))
                }
            }
        }
        let huge = writer.bytes
        #expect(try RPCStatus(huge.span, format: .protobuf).retryDelay == .max)
    }
}

import OrielOTLP
import OrielOTLPMessages
import OrielTelemetry
import Testing

/// Every field of spans and log records, with random content, through both forms: written from values, decoded, written from the batch,
/// decoded again.
@Suite struct RoundTripTests {
    static let seeds = Array(UInt64(1)...60)

    /// Streams are distinct by construction but for a tiny chance; rows of equal streams would be grouped together.
    @Test(arguments: seeds) func spansKeepEveryField(_ seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        let groups = random.groups { $0.span() }
        var decoder = OTLPDecoder()
        let protobuf = OTLPEncoder.traces(groups)
        let json = OTLPEncoder.traces(groups, format: .json)
        let fromProtobuf = try decoder.traces(protobuf.span)
        let fromJSON = try decoder.traces(json: json.span)
        #expect(fromProtobuf.rejections.isEmpty && fromJSON.rejections.isEmpty)
        #expect(fromProtobuf.batch.columnBatch.hasConsistentCounts)
        #expect(try fromProtobuf.batch.groups() == groups, "seed \(seed)")
        #expect(try fromJSON.batch.groups() == groups, "seed \(seed)")

        // Across: what came as protobuf leaves as JSON and comes back, and the other way round.
        let crossJSON = OTLPEncoder.traces(fromProtobuf.batch, format: .json)
        let crossProtobuf = OTLPEncoder.traces(fromJSON.batch)
        #expect(try decoder.traces(json: crossJSON.span).batch.groups() == groups, "seed \(seed)")
        #expect(try decoder.traces(crossProtobuf.span).batch.groups() == groups, "seed \(seed)")
    }

    @Test(arguments: seeds) func logRecordsKeepEveryField(_ seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        let groups = random.groups { $0.logRecord() }
        var decoder = OTLPDecoder()
        let now = Timestamp(nanoseconds: 1_720_000_000_000_000_000)
        let protobuf = OTLPEncoder.logs(groups)
        let json = OTLPEncoder.logs(groups, format: .json)
        let fromProtobuf = try decoder.logs(protobuf.span, receiveTime: now)
        let fromJSON = try decoder.logs(json: json.span, receiveTime: now)
        #expect(fromProtobuf.rejections.isEmpty && fromJSON.rejections.isEmpty)
        #expect(fromProtobuf.batch.columnBatch.hasConsistentCounts)
        #expect(try fromProtobuf.batch.groups() == groups, "seed \(seed)")
        #expect(try fromJSON.batch.groups() == groups, "seed \(seed)")
        for row in 0..<fromProtobuf.batch.count {
            let record = fromProtobuf.batch.record(at: row)
            let expected = record.time.nanoseconds != 0 ? record.time : record.observedTime.nanoseconds != 0 ? record.observedTime : now
            #expect(fromProtobuf.batch.times[row] == expected.nanoseconds, "seed \(seed)")
        }

        let crossJSON = OTLPEncoder.logs(fromProtobuf.batch, format: .json)
        let crossProtobuf = OTLPEncoder.logs(fromJSON.batch)
        #expect(try decoder.logs(json: crossJSON.span, receiveTime: now).batch.groups() == groups, "seed \(seed)")
        #expect(try decoder.logs(crossProtobuf.span, receiveTime: now).batch.groups() == groups, "seed \(seed)")
    }

    @Test func aDecoderThatHasSeenOtherRequestsGivesTheSameRows() throws {
        var used = OTLPDecoder()
        for seed in RoundTripTests.seeds.prefix(20) {
            var random = RandomMessages(seed: seed)
            let groups = random.groups { $0.span() }
            let bytes = OTLPEncoder.traces(groups)
            #expect(try used.traces(bytes.span).batch.groups() == groups, "seed \(seed)")
            #expect(try used.traces(bytes.span).batch.groups() == groups, "seed \(seed)")
        }
    }
}

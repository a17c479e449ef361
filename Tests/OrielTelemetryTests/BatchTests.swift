import OrielTelemetry
import Testing

@Suite struct BatchTests {
    private func spans(_ seed: UInt64, count: Int) -> SpanBatch {
        var random = SeededGenerator(seed: seed)
        var batch = SpanBatch()
        for row in 0..<count {
            let resource = Resource(attributes: [Attribute("service.name", .string("s\(row % 3)"))])
            batch.streamIndexes.append(UInt32(batch.streams.intern(.scope(resource, InstrumentationScope(name: "lib")))))
            batch.startTimes.append(Int64(row))
            batch.ords.append(UInt64(row) + 100)
            batch.traceIDs.append(TraceID(high: random.next(), low: random.next()))
            batch.spanIDs.append(random.next())
            batch.parentSpanIDs.append(random.next())
            batch.traceStates.append(random.text())
            batch.names.append(random.text())
            batch.kinds.append(Int64(row % 6))
            batch.durations.append(Int64(row) - 5)
            batch.statusCodes.append(Int64(row % 3))
            batch.statusMessages.append(random.text())
            batch.flags.append(1)
            batch.droppedAttributesCounts.append(0)
            batch.events.append(random.text())
            batch.droppedEventsCounts.append(2)
            batch.links.appendEmpty()
            batch.droppedLinksCounts.append(3)
            batch.attributes.appendRow(random.attributes(3))
        }
        return batch
    }

    @Test func typedAndColumnFormsConvert() throws {
        let batch = spans(1, count: 20)
        let columns = batch.columnBatch
        #expect(columns.hasConsistentCounts && columns.count == 20)
        let back = try #require(SpanBatch(columns))
        #expect(back.names == batch.names && back.traceIDs == batch.traceIDs && back.durations == batch.durations && back.ords == batch.ords)
        #expect(back.attributes.attributes(of: 7) == batch.attributes.attributes(of: 7))
        #expect(LogBatch(columns) == nil)
    }

    @Test func absentColumnsReadAsDefaults() throws {
        var columns = spans(1, count: 4).columnBatch
        columns[.name] = .absent
        columns[.duration] = .absent
        columns[.traceID] = .absent
        columns.attributes = nil
        let batch = try #require(SpanBatch(columns))
        #expect(batch.names.count == 4 && batch.names.isEmpty(at: 3) && batch.durations == [0, 0, 0, 0])
        #expect(batch.traceIDs.allSatisfy { $0.isZero } && batch.attributes.rowCount == 4)
    }

    @Test func wrongCountsAreFound() {
        var columns = spans(1, count: 4).columnBatch
        columns[.kind] = .integers([1])
        #expect(!columns.hasConsistentCounts && SpanBatch(columns) == nil)
        columns = spans(1, count: 4).columnBatch
        columns[.kind] = .doubles([1, 2, 3, 4])
        #expect(!columns.hasConsistentCounts)
        columns = spans(1, count: 4).columnBatch
        columns.ords = [1]
        #expect(!columns.hasConsistentCounts)
    }

    @Test func rowsAppendAcrossBatches() throws {
        let source = spans(2, count: 12).columnBatch
        var target = ColumnBatch(signal: .spans)
        for row in (0..<12).reversed() { target.appendRow(row, of: source) }
        #expect(target.hasConsistentCounts)
        let batch = try #require(SpanBatch(target))
        let original = try #require(SpanBatch(source))
        #expect(batch.streams.count == 3)
        for row in 0..<12 {
            #expect(batch.names[11 - row] == original.names[row] && batch.spanIDs[11 - row] == original.spanIDs[row])
            #expect(batch.attributes.attributes(of: 11 - row) == original.attributes.attributes(of: row))
            #expect(
                try batch.streams.decoded(Int(batch.streamIndexes[11 - row])) == original.streams.decoded(Int(original.streamIndexes[row])))
        }
    }

    @Test func emptyBatchesOfEverySignalAreConsistent() {
        for signal in Signal.allCases {
            #expect(ColumnBatch(signal: signal).hasConsistentCounts)
        }
        #expect(SampleBatch(SampleBatch().columnBatch)?.count == 0)
        #expect(HistogramBatch(HistogramBatch().columnBatch)?.count == 0)
        #expect(ExemplarBatch(ExemplarBatch().columnBatch)?.count == 0)
        #expect(LogBatch(LogBatch().columnBatch)?.count == 0)
    }

    @Test(arguments: [UInt64(1), 2, 3]) func logBodiesReadBack(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var batch = LogBatch()
        let bodies = (0..<50).map { _ in random.attributeValue(depth: 3) }
        for body in bodies { batch.appendBody(body) }
        for (row, body) in bodies.enumerated() { #expect(batch.body(at: row) == body, "seed \(seed)") }
    }

    @Test func streamsGetIDsTogetherOrNotAtAll() {
        var table = StreamTable()
        let first = table.intern([1, 2])
        let second = table.intern([3])
        #expect(table.intern([1, 2]) == first && second == 1 && table.id(first) == nil)
        table.assign([StreamID(high: 1, low: 1), StreamID(high: 2, low: 2)])
        #expect(table.id(second) == StreamID(high: 2, low: 2))
    }
}

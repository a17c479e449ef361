import OrielOTLP
import OrielOTLPMessages
import OrielTelemetry
import Testing

@Suite struct DecoderTests {
    private static let good = OTLPSpan(
        traceID: TraceID(high: 1, low: 2), spanID: SpanID(rawValue: 3), name: "good", startTime: Timestamp(nanoseconds: 5),
        endTime: Timestamp(nanoseconds: 7), attributes: [Attribute("a", 1)])

    /// A request whose rows are written by hand.
    private func request(_ rows: [(inout WireWriter) -> Void]) -> [UInt8] {
        var writer = WireWriter()
        writer.messageField(1) { writer in
            writer.messageField(2) { writer in
                for row in rows { writer.messageField(2, row) }
            }
        }
        return writer.bytes
    }

    private func traces(_ rows: [(inout WireWriter) -> Void]) throws -> DecodedTraces {
        var decoder = OTLPDecoder()
        let bytes = request(rows)
        return try decoder.traces(bytes.span)
    }

    private func writeGood(_ writer: inout WireWriter) {
        writer.traceIDField(1, DecoderTests.good.traceID)
        writer.spanIDField(2, DecoderTests.good.spanID)
        writer.stringField(5, "good")
        writer.fixed64Field(7, 5)
        writer.fixed64Field(8, 7)
        writer.keyValues(9, [Attribute("a", 1)])
    }

    @Test func invalidSpansAreRejectedAndLeaveNoTrace() throws {
        func ids(_ trace: [UInt8], _ span: [UInt8], _ more: @escaping (inout WireWriter) -> Void = { _ in }) -> (inout WireWriter) -> Void {
            { writer in
                writer.keyValues(9, [Attribute("bad", "left over"), Attribute("a", 2)])
                writer.messageField(11) { $0.stringField(2, "event") }
                writer.messageField(13) { $0.stringField(3, "state") }
                writer.bytesField(1, trace.span)
                writer.bytesField(2, span.span)
                more(&writer)
            }
        }
        let trace = [UInt8](repeating: 1, count: 16)
        let span = [UInt8](repeating: 1, count: 8)
        var nested = AttributeValue.int(1)
        for _ in 0..<63 { nested = .array([nested]) }
        let bad: [(String, (inout WireWriter) -> Void)] = [
            ("trace_id", ids([], span)), ("trace_id", ids([1], span)), ("trace_id", ids([UInt8](repeating: 0, count: 16), span)),
            ("trace_id", ids(trace + [1], span)), ("span_id", ids(trace, [1, 2, 3, 4, 5, 6, 7])), ("span_id", ids(trace, [])),
            ("span_id", ids(trace, [UInt8](repeating: 0, count: 8))), ("parent_span_id", ids(trace, span) { $0.bytesField(4, [1].span) }),
            ("start_time", ids(trace, span) { $0.fixed64Field(7, 1 << 63) }), ("end_time", ids(trace, span) { $0.fixed64Field(8, .max) }),
            ("event", ids(trace, span) { $0.messageField(11) { $0.fixed64Field(1, .max) } }),
            (
                "nested",
                ids(trace, span) { writer in
                    writer.messageField(9) { writer in
                        writer.messageField(2) { writer in
                            writer.messageField(5) { writer in
                                writer.messageField(1) { writer in
                                    writer.messageField(5) { writer in writer.messageField(1) { $0.anyValue(nested) } }
                                }
                            }
                        }
                    }
                }
            ),
        ]
        for (what, row) in bad {
            let decoded = try traces([writeGood, row, writeGood])
            #expect(decoded.rejections.count == 1, "\(what)")
            #expect(decoded.rejections.message.hasPrefix("resource_spans[0].scope_spans[0].spans[1]: ") && decoded.rejections.message.contains(what))
            #expect(decoded.batch.columnBatch.hasConsistentCounts)
            #expect(decoded.batch.count == 2)
            #expect(decoded.batch.span(at: 0) == DecoderTests.good && decoded.batch.span(at: 1) == DecoderTests.good, "\(what)")
        }
        #expect(try traces(bad.map(\.1)).rejections.messages.count == OTLPRejections.maximumMessages)
        #expect(try traces(bad.map(\.1)).batch.streams.count == 1)
    }

    @Test func aLinkWithMalformedIDsIsDroppedAndCounted() throws {
        let decoded = try traces([
            { writer in
                self.writeGood(&writer)
                writer.varintField(14, 4)
                writer.messageField(13) { $0.bytesField(1, [1, 2].span) }
                writer.messageField(13) { $0.stringField(3, "kept") }
            }
        ])
        #expect(decoded.batch.links(at: 0).map(\.traceState) == ["kept"])
        #expect(decoded.batch.droppedLinksCounts == [5])
        #expect(decoded.rejections.count == 0 && decoded.rejections.warningCount == 1)
    }

    @Test func logIDsOfWrongLengthAreDroppedAndTheRecordKept() throws {
        var decoder = OTLPDecoder()
        let bytes = request([
            { writer in
                writer.bytesField(9, [1].span)
                writer.bytesField(10, [1].span)
                writer.fixed64Field(11, 9)
            }, { $0.fixed64Field(1, 1 << 63) }, { $0.fixed64Field(11, 1 << 63) },
        ])
        let decoded = try decoder.logs(bytes.span, receiveTime: Timestamp(nanoseconds: 1))
        #expect(decoded.batch.times == [9] && decoded.batch.traceIDs == [.zero] && decoded.batch.spanIDs == [0])
        #expect(decoded.batch.timeOrigins == [LogTimeOrigin.observed.rawValue])
        #expect(decoded.rejections.count == 2 && decoded.rejections.warningCount == 2)
    }

    @Test func aSpanThatEndsBeforeItStartsIsKept() throws {
        let decoded = try traces([
            { writer in
                self.writeGood(&writer)
                writer.fixed64Field(8, 1)
            }
        ])
        #expect(decoded.batch.durations == [-4])
    }

    @Test func embeddedMessagesInPiecesAreMergedAndTheLastScalarCounts() throws {
        var writer = WireWriter()
        writer.messageField(1) { writer in
            writer.messageField(1) { $0.keyValues(1, [Attribute("a", 1), Attribute("b", 1)]) }
            writer.stringField(3, "first")
            writer.messageField(2) { writer in
                writer.messageField(2) { writer in
                    writer.spanIDField(2, SpanID(rawValue: 9))
                    self.writeGood(&writer)
                    writer.messageField(15) { $0.stringField(2, "kept") }
                    writer.messageField(15) { $0.varintField(3, 1) }
                }
                // Behind its rows, and in two pieces.
                writer.messageField(1) { $0.stringField(1, "lib") }
                writer.messageField(1) { $0.stringField(2, "2") }
            }
            writer.messageField(1) { $0.keyValues(1, [Attribute("b", 2)]) }
            writer.stringField(3, "second")
        }
        let bytes = writer.bytes
        var decoder = OTLPDecoder()
        let groups = try decoder.traces(bytes.span).batch.groups()
        #expect(groups[0].resource == Resource(attributes: [Attribute("a", 1), Attribute("b", 2)], schemaURL: "second"))
        #expect(groups[0].scope == InstrumentationScope(name: "lib", version: "2"))
        #expect(groups[0].rows[0].spanID == SpanID(rawValue: 3))
        #expect(groups[0].rows[0].statusMessage == "kept" && groups[0].rows[0].statusCode == 1)
    }

    @Test func unknownFieldsOfEveryWireTypeAreSkipped() throws {
        func unknown(_ writer: inout WireWriter) {
            writer.varintField(900, .max)
            writer.fixed64Field(901, 1)
            writer.stringField(902, "x")
            writer.fixed32Field(903, 1)
        }
        var writer = WireWriter()
        unknown(&writer)
        writer.messageField(1) { writer in
            unknown(&writer)
            writer.messageField(1000) { $0.stringField(1, "old library spans") }
            writer.messageField(2) { writer in
                unknown(&writer)
                writer.messageField(1) { unknown(&$0) }
                writer.messageField(2) { writer in
                    unknown(&writer)
                    self.writeGood(&writer)
                }
            }
        }
        let bytes = writer.bytes
        var decoder = OTLPDecoder()
        #expect(try decoder.traces(bytes.span).batch.span(at: 0) == DecoderTests.good)
    }

    @Test func malformedBytesNameOffsetAndPath() throws {
        func error(_ row: @escaping (inout WireWriter) -> Void) throws -> OTLPError {
            try #require(throws: OTLPError.self) { try traces([writeGood, row]) }
        }
        let span = "resource_spans[0].scope_spans[0].spans[1]"
        #expect(try error { $0.varintField(5, 1) }.path == span + ".name")
        #expect(try error { $0.varintField(5, 1) }.reason == .wire(.unexpectedWireType))
        #expect(
            try error { writer in
                self.writeGood(&writer)
                writer.messageField(9) { $0.messageField(2) { $0.varintField(1, 1) } }
            }.path == span + ".attributes[1].value.string_value")
        #expect(try error { $0.messageField(11) { $0.bytes += [0x12, 0x7F] } }.path == span + ".events[0].name")
        #expect(try error { $0.bytes += [0xFB, 0x07] }.reason == .wire(.invalidTag))
        #expect(try error { $0.bytes += [0x30] + [UInt8](repeating: 0xFF, count: 11) }.path == span + ".kind")
        let text = try error { $0.varintField(5, 1) }.description
        #expect(text.hasPrefix(span + ".name: ") && text.contains("byte "))
    }

    @Test func groupsOfTooDeepResourcesAreRejectedWithTheirRows() throws {
        var writer = WireWriter()
        for isBad in [true, false] {
            writer.messageField(1) { writer in
                writer.messageField(1) { writer in
                    guard isBad else { return }
                    writer.messageField(1) { writer in
                        writer.messageField(2) { writer in
                            func nest(_ writer: inout WireWriter, _ depth: Int) {
                                if depth > 0 { writer.messageField(5) { $0.messageField(1) { nest(&$0, depth - 1) } } }
                            }
                            nest(&writer, 200)
                        }
                    }
                }
                writer.messageField(2) { writer in
                    for _ in 0..<3 { writer.messageField(2, self.writeGood) }
                }
            }
        }
        let bytes = writer.bytes
        var decoder = OTLPDecoder()
        let decoded = try decoder.traces(bytes.span)
        #expect(decoded.batch.count == 3 && decoded.rejections.count == 3)
    }

    @Test func aLargeResourceTimesManyScopesIsBounded() throws {
        var writer = WireWriter()
        writer.messageField(1) { writer in
            writer.messageField(1) { $0.keyValues(1, [Attribute("big", .string(String(repeating: "x", count: 4 << 20)))]) }
            for index in 0..<100 {
                writer.messageField(2) { writer in
                    writer.messageField(1) { $0.stringField(1, "scope \(index)") }
                    writer.messageField(2, self.writeGood)
                }
            }
        }
        let bytes = writer.bytes
        var decoder = OTLPDecoder()
        let decoded = try decoder.traces(bytes.span)
        #expect(decoded.batch.count == 63 && decoded.rejections.count == 37)
        #expect(decoded.rejections.message.contains("scope_spans[63]: the request's resources and scopes take too many bytes"))
        #expect(decoded.batch.columnBatch.hasConsistentCounts && decoded.batch.streams.count == 63)
    }

    @Test func aRequestOverTheLimitIsRefused() {
        var options = OTLPDecoder.Options()
        options.maximumByteCount = 10
        var decoder = OTLPDecoder(options: options)
        let bytes = [UInt8](repeating: 0, count: 11)
        #expect(throws: OTLPError(.tooLarge(limit: 10), offset: 0)) { try decoder.traces(bytes.span) }
    }

    @Test func everyTruncationIsAnErrorOrAShorterRequest() throws {
        var random = RandomMessages(seed: 7)
        let spans = OTLPEncoder.traces(random.groups { $0.span() })
        let logs = OTLPEncoder.logs(random.groups { $0.logRecord() })
        let metrics = hex(GeneratedFixtures.metrics)
        var decoder = OTLPDecoder()
        let now = Timestamp(nanoseconds: 1)
        for end in 0..<spans.count {
            do { _ = try decoder.traces(Array(spans[..<end]).span) } catch { #expect(error.offset <= end) }
        }
        for end in 0..<logs.count {
            do { _ = try decoder.logs(Array(logs[..<end]).span, receiveTime: now) } catch { #expect(error.offset <= end) }
        }
        for end in 0..<metrics.count {
            do { _ = try decoder.metrics(Array(metrics[..<end]).span, receiveTime: now) } catch { #expect(error.offset <= end) }
        }
    }

    @Test(arguments: Array(UInt64(1)...8)) func flippedBitsNeverCrash(_ seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        let spans = OTLPEncoder.traces(random.groups { $0.span() })
        let logs = OTLPEncoder.logs(random.groups { $0.logRecord() })
        let metrics = hex(GeneratedFixtures.metrics)
        var decoder = OTLPDecoder()
        let now = Timestamp(nanoseconds: 1)
        func flip(_ bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            for _ in 0..<random.count(1...3) { bytes[random.count(0...(bytes.count - 1))] ^= 1 << UInt8(random.count(0...7)) }
            return bytes
        }
        for _ in 0..<(60 * Fuzz.rounds) {
            let damagedSpans = flip(spans)
            do {
                let batch = try decoder.traces(damagedSpans.span).batch
                #expect(batch.columnBatch.hasConsistentCounts, "seed \(seed)")
                // What was accepted can be read and written.
                _ = OTLPEncoder.traces(batch, format: .json)
            } catch { #expect(error.offset <= damagedSpans.count, "seed \(seed)") }
            let damagedLogs = flip(logs)
            do {
                let batch = try decoder.logs(damagedLogs.span, receiveTime: now).batch
                #expect(batch.columnBatch.hasConsistentCounts, "seed \(seed)")
                _ = OTLPEncoder.logs(batch, format: .json)
            } catch { #expect(error.offset <= damagedLogs.count, "seed \(seed)") }
            let damagedMetrics = flip(metrics)
            do {
                let decoded = try decoder.metrics(damagedMetrics.span, receiveTime: now)
                #expect(decoded.samples.columnBatch.hasConsistentCounts && decoded.exemplars.columnBatch.hasConsistentCounts, "seed \(seed)")
                for row in 0..<decoded.histograms.count { _ = try decoded.histograms.histogram(at: row) }
                _ = OTLPEncoder.metrics(decoded.samples)
            } catch let error as OTLPError { #expect(error.offset <= damagedMetrics.count, "seed \(seed)") }
        }
    }

    @Test func samplesLeaveAsGaugesOfTheirNames() throws {
        var samples = SampleBatch()
        let stream = samples.streams.intern(.series(unsorted: [Label("__name__", "up"), Label("job", "x")]))
        for value in [1, .staleMarker] {
            samples.streamIndexes.append(UInt32(stream))
            samples.times.append(5000)
            samples.values.append(value)
        }
        var decoder = OTLPDecoder(options: OTLPDecoder.Options())
        let bytes = OTLPEncoder.metrics(samples)
        let decoded = try decoder.metrics(bytes.span, receiveTime: Timestamp(nanoseconds: 1))
        #expect(try decoded.samples.streams.seriesText(0) == #"up{job="x"}"#)
        #expect(decoded.samples.values.map(\.bitPattern) == samples.values.map(\.bitPattern))
    }
}

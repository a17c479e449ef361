import OrielTelemetry

/// Writes log records as the API shows them.
struct LogAnswer {
    private let batch: LogBatch
    private var streams: StreamAnswer

    init(_ batch: LogBatch) {
        self.batch = batch
        streams = StreamAnswer(batch.streams)
    }

    mutating func write(_ row: Int, to writer: inout JSONWriter) {
        let stream = Int(batch.streamIndexes[row])
        let observed = batch.observedTimes[row]
        writer.beginObject()
        writer.key("ord")
        if batch.ords.isEmpty { writer.null() } else { writer.quotedInteger(batch.ords[row]) }
        writer.time("time", Timestamp(nanoseconds: batch.times[row]))
        writer.member("time_origin", LogAnswer.originName(batch.timeOrigins[row]))
        writer.time("observed_time", observed == 0 ? nil : Timestamp(nanoseconds: observed))
        writer.member("service", streams.service(of: stream))
        writer.member("severity", SeverityName.name(of: batch.severityNumbers[row]))
        writer.member("severity_number", batch.severityNumbers[row])
        writer.member("severity_text", batch.severityTexts.string(at: row))
        writer.key("body")
        writer.typedValue(batch.body(at: row))
        writer.member("event_name", batch.eventNames.string(at: row))
        writer.member("trace_id", batch.traceIDs[row])
        writer.member("span_id", SpanID(rawValue: batch.spanIDs[row]))
        writer.member("flags", batch.flags[row])
        writer.member("attributes", attributes: batch.attributes.attributes(of: row))
        writer.member("dropped_attributes_count", batch.droppedAttributesCounts[row])
        streams.writeMembers(of: stream, to: &writer)
        writer.endObject()
    }

    static func originName(_ origin: Int64) -> String {
        switch LogTimeOrigin(rawValue: origin) {
        case .record, nil: "record"
        case .observed: "observed"
        case .received: "received"
        }
    }
}

import OrielTelemetry

/// A row as an object of JSON. Keys whose value is empty are left out.
extension JSONWriter {
    mutating func log(_ batch: LogBatch, _ row: Int, logger: String) {
        beginObject()
        member("time", Timestamp(nanoseconds: batch.times[row]).rfc3339)
        let level = batch.severityTexts.range(of: row)
        if !level.isEmpty {
            key("level")
            string(batch.severityTexts.bytes.span.extracting(level))
        }
        key("message")
        if batch.bodyTypes[row] == Int64(AttributeType.string.rawValue) {
            string(batch.bodies.bytes.span.extracting(batch.bodies.range(of: row)))
        } else {
            value(batch.body(at: row))
        }
        member("logger", logger)
        if !batch.eventNames.isEmpty(at: row) { member("event_name", batch.eventNames.string(at: row)) }
        identifiers(batch.traceIDs[row], SpanID(rawValue: batch.spanIDs[row]))
        attributes(batch.attributes, row)
        dropped("dropped_attributes", batch.droppedAttributesCounts[row])
        endObject()
    }

    mutating func span(_ batch: SpanBatch, _ row: Int, scope: String) {
        beginObject()
        member("time", Timestamp(nanoseconds: batch.startTimes[row]).rfc3339)
        member("span", batch.names.string(at: row))
        member("kind", SpanText.kind(batch.kinds[row]))
        key("duration_ms")
        double(Double(batch.durations[row]) / 1_000_000)
        member("status", SpanText.status(batch.statusCodes[row]))
        member("status_message", batch.statusMessages.string(at: row))
        member("scope", scope)
        identifiers(batch.traceIDs[row], SpanID(rawValue: batch.spanIDs[row]))
        if batch.parentSpanIDs[row] != 0 { member("parent_span_id", SpanID(rawValue: batch.parentSpanIDs[row]).hexadecimal) }
        attributes(batch.attributes, row)
        dropped("dropped_attributes", batch.droppedAttributesCounts[row])
        let events = SpanText.events(batch.events.bytes.span.extracting(batch.events.range(of: row)))
        if !events.isEmpty {
            key("events")
            array { writer in
                for event in events {
                    writer.object { writer in
                        writer.member("time", event.time.rfc3339)
                        writer.member("name", event.name)
                        writer.attributes(event.attributes)
                    }
                }
            }
        }
        let links = SpanText.links(batch.links.bytes.span.extracting(batch.links.range(of: row)))
        if !links.isEmpty {
            key("links")
            array { writer in
                for link in links {
                    writer.object { writer in
                        writer.identifiers(link.traceID, link.spanID)
                        writer.attributes(link.attributes)
                    }
                }
            }
        }
        endObject()
    }

    mutating func metric(_ row: MetricRow) {
        beginObject()
        member("time", row.time.rfc3339)
        member("metric", row.name)
        if !row.labels.isEmpty {
            key("labels")
            object { writer in
                for label in row.labels {
                    writer.key(label.name)
                    writer.string(label.value)
                }
            }
        }
        switch row.value {
        case .number(let number):
            key("value")
            double(number)
        case .histogram(let count, let sum):
            key("count")
            double(count)
            key("sum")
            double(sum)
        }
        if row.isDelta { member("temporality", "delta") }
        endObject()
    }

    // MARK: Parts

    private mutating func member(_ name: String, _ text: String) {
        guard !text.isEmpty else { return }
        key(name)
        string(text)
    }

    private mutating func dropped(_ name: String, _ count: Int64) {
        guard count != 0 else { return }
        key(name)
        integer(count)
    }

    private mutating func identifiers(_ trace: TraceID, _ span: SpanID) {
        if !trace.isZero { member("trace_id", trace.hexadecimal) }
        if !span.isZero { member("span_id", span.hexadecimal) }
    }

    private mutating func attributes(_ attributes: [Attribute]) {
        guard !attributes.isEmpty else { return }
        key("attributes")
        value(.map(attributes))
    }

    private mutating func attributes(_ table: AttributeTable, _ row: Int) {
        let entries = table.entries(of: row)
        guard !entries.isEmpty else { return }
        key("attributes")
        beginObject()
        for entry in entries {
            key(table.keys.keys.bytes.span.extracting(table.keys.keys.range(of: Int(table.keyIndexes[entry]))))
            if table.types[entry] == AttributeType.string.rawValue {
                string(table.heap.span.extracting(table.heapRange(of: entry)))
            } else {
                value(table.value(ofEntry: entry))
            }
        }
        endObject()
    }
}

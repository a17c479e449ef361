import OrielClient
import OrielOTLP
import OrielTelemetry

/// Batches for the console.
enum ConsoleBatches {
    static let time = Timestamp(nanoseconds: 1_795_533_628_000_000_007)
    static let trace = TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)
    static let span = SpanID(rawValue: 0xA1A2_A3A4_A5A6_A7A8)

    static func logs(_ records: [OTLPLogRecord], scope: String = "shop") -> ExportBatch {
        let group = OTLPScopeGroup(resource: Resource(attributes: [Attribute("service.name", "s")]), scope: InstrumentationScope(name: scope), rows: records)
        return ExportBatch(signal: .logs, request: OTLPEncoder.logs([group]), itemCount: records.count)
    }

    static func record(
        _ body: AttributeValue, severity: Int32 = 9, level: String = "INFO", attributes: [Attribute] = [], isInSpan: Bool = false
    ) -> OTLPLogRecord {
        OTLPLogRecord(
            time: time, observedTime: time, severityNumber: severity, severityText: level, body: body, attributes: attributes,
            traceID: isInSpan ? trace : .zero, spanID: isInSpan ? span : .zero)
    }

    static func spans(_ spans: [OTLPSpan]) -> ExportBatch {
        let group = OTLPScopeGroup(resource: Resource(), scope: InstrumentationScope(name: "http"), rows: spans)
        return ExportBatch(signal: .spans, request: OTLPEncoder.traces([group]), itemCount: spans.count)
    }

    static func metrics(_ metrics: [OTLPMetric]) -> ExportBatch {
        let resource = Resource(attributes: [Attribute("service.name", "s"), Attribute("service.instance.id", "i"), Attribute("host.name", "h")])
        let group = OTLPScopeGroup(resource: resource, scope: InstrumentationScope(), rows: metrics)
        return ExportBatch(signal: .metrics, request: OTLPEncoder.metrics([group]), itemCount: metrics.count)
    }
}

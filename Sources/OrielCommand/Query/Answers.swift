import FoundationEssentials
import OrielTelemetry

/// What the command line reads of the API's answers; the rest of them is left alone.
struct TraceSummaryAnswer: Decodable, Sendable {
    var traceID: String
    var rootService: String
    var rootName: String
    var start: Int64Text
    var duration: Int64Text
    var spanCount: Int
    var errorCount: Int
    var services: [String]

    enum CodingKeys: String, CodingKey {
        case traceID = "trace_id"
        case rootService = "root_service"
        case rootName = "root_name"
        case start = "start_time_unix_nano"
        case duration = "duration_nano"
        case spanCount = "span_count"
        case errorCount = "error_count"
        case services
    }
}

struct TraceAnswer: Decodable, Sendable {
    var traceID: String
    var spanCount: Int
    var spans: [SpanRow]
    var logs: [LogRow]
    var hasAllLogs: Bool
    var next: String?

    enum CodingKeys: String, CodingKey {
        case traceID = "trace_id"
        case spanCount = "span_count"
        case spans
        case logs
        case hasAllLogs = "logs_complete"
        case next
    }
}

struct SpanRow: Decodable, Sendable {
    struct Status: Decodable, Sendable {
        var code: String
        var message: String
    }

    struct Event: Decodable, Sendable {
        var time: Int64Text
        var name: String
        var attributes: [AttributeRow]

        enum CodingKeys: String, CodingKey {
            case time = "time_unix_nano"
            case name
            case attributes
        }
    }

    var spanID: String?
    var parentSpanID: String?
    var service: String
    var name: String
    var kind: String
    var start: Int64Text
    var duration: Int64Text
    var status: Status
    var attributes: [AttributeRow]
    var events: [Event]

    enum CodingKeys: String, CodingKey {
        case spanID = "span_id"
        case parentSpanID = "parent_span_id"
        case service
        case name
        case kind
        case start = "start_time_unix_nano"
        case duration = "duration_nano"
        case status
        case attributes
        case events
    }

    var isError: Bool { status.code == "error" }
    var end: Int64 { start.value.addingSaturating(max(0, duration.value)) }
}

struct LogRow: Decodable, Sendable {
    var ord: Int64Text?
    var time: Int64Text
    var service: String
    var severity: String
    var severityNumber: Int64
    var severityText: String
    var body: ValueRow
    var eventName: String
    var traceID: String?
    var spanID: String?
    var attributes: [AttributeRow]

    enum CodingKeys: String, CodingKey {
        case ord
        case time = "time_unix_nano"
        case service
        case severity
        case severityNumber = "severity_number"
        case severityText = "severity_text"
        case body
        case eventName = "event_name"
        case traceID = "trace_id"
        case spanID = "span_id"
        case attributes
    }

    /// The severity's name, else what the source called it.
    var severityName: String { severity.isEmpty ? severityText : severity }
}

struct MetricRow: Decodable, Sendable {
    var name: String
    var type: String
    var unit: String
    var help: String
}

struct ServiceRow: Decodable, Sendable {
    var name: String
    var signals: [String]
}

struct SeriesRow: Decodable, Sendable {
    struct Histogram: Decodable, Sendable {
        var count: DoubleText
        var sum: DoubleText
    }

    struct Point: Decodable, Sendable {
        var time: Int64Text
        var value: DoubleText?
        var histogram: Histogram?

        enum CodingKeys: String, CodingKey {
            case time = "time_unix_nano"
            case value
            case histogram
        }

        /// The value, of a histogram its count; `nil` where the series ended.
        var number: Double? { value?.value ?? histogram?.count.value }
    }

    var name: String
    var labels: [String: String]
    var type: String
    var unit: String
    var last: Point?
    var stale: Bool
    var points: [Point]?

    /// `{job="gateway",method="GET"}`, as Prometheus writes labels; empty without any.
    var labelText: String {
        if labels.isEmpty { return "" }
        let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" }
        return "{" + pairs.joined(separator: ",") + "}"
    }
}

struct ErrorAnswer: Decodable, Sendable {
    struct Problem: Decodable, Sendable {
        var message: String
    }

    var error: Problem
}

/// A 64-bit integer that is written as text.
struct Int64Text: Decodable, Sendable {
    var value: Int64

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Int64(text) else { throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no integer") }
        self.value = value
    }
}

/// A number, or the name of one that JSON has none for.
struct DoubleText: Decodable, Sendable {
    var value: Double

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            value = try container.decode(Double.self)
        } catch {
            switch try container.decode(String.self) {
            case "Infinity": value = .infinity
            case "-Infinity": value = -.infinity
            default: value = .nan
            }
        }
    }
}

struct AttributeRow: Decodable, Sendable {
    var key: String
    var value: ValueRow
}

/// A typed value.
struct ValueRow: Decodable, Sendable {
    var value: AttributeValue

    enum CodingKeys: String, CodingKey {
        case stringValue, boolValue, intValue, doubleValue, bytesValue, arrayValue, kvlistValue
    }

    private struct Elements: Decodable {
        var values: [ValueRow]
    }

    private struct Members: Decodable {
        var values: [AttributeRow]
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch container.allKeys.first {
        case nil: value = .empty
        case .stringValue: value = .string(try container.decode(String.self, forKey: .stringValue))
        case .boolValue: value = .bool(try container.decode(Bool.self, forKey: .boolValue))
        case .intValue: value = .int(try container.decode(Int64Text.self, forKey: .intValue).value)
        case .doubleValue: value = .double(try container.decode(DoubleText.self, forKey: .doubleValue).value)
        case .bytesValue: value = .bytes(Base64.decode(Array(try container.decode(String.self, forKey: .bytesValue).utf8).span) ?? [])
        case .arrayValue: value = .array(try container.decode(Elements.self, forKey: .arrayValue).values.map(\.value))
        case .kvlistValue: value = .map(try container.decode(Members.self, forKey: .kvlistValue).values.map { Attribute($0.key, $0.value.value) })
        }
    }
}

/// An answer's list, each element as the text that was sent and, where wanted, decoded.
enum AnswerList {
    /// The texts of the elements of member `name`, and the cursor of the next page.
    static func elements(_ name: String, of body: [UInt8]) throws -> (elements: [ArraySlice<UInt8>], next: String?) {
        var elements: [ArraySlice<UInt8>] = []
        var next: String?
        let bytes = body.span
        var reader = JSONReader()
        try reader.beginObject(in: bytes)
        while let token = try reader.nextKey(in: bytes) {
            switch reader.string(token, in: bytes) {
            case name:
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) {
                    let start = reader.offset
                    try reader.skipValue(in: bytes)
                    elements.append(body[start..<reader.offset])
                }
            case "next": next = try reader.skipNull(in: bytes) ? nil : try reader.string(in: bytes)
            default: try reader.skipValue(in: bytes)
            }
        }
        try reader.finish(in: bytes)
        return (elements, next)
    }

    static func decode<Row: Decodable>(_ type: Row.Type, _ bytes: some Sequence<UInt8>) throws -> Row {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}

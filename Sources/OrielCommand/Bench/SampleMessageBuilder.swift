import OrielTelemetry

/// Encodes a `ResourceMetrics` field of an export request and remembers where its changing numbers are. Points of one metric that follow each other share it.
struct SampleMessageBuilder {
    /// A changing number by its offset, with how it changes.
    enum Place {
        case time(Int)
        case counter(Int, rate: Double)
        case gauge(Int, value: Double, step: Double)
        case histogram(count: Int, sum: Int, buckets: Int, rate: Double, centre: Int)

        func moved(by distance: Int) -> Place {
            switch self {
            case .time(let offset): .time(offset + distance)
            case .counter(let offset, let rate): .counter(offset + distance, rate: rate)
            case .gauge(let offset, let value, let step): .gauge(offset + distance, value: value, step: step)
            case .histogram(let count, let sum, let buckets, let rate, let centre):
                .histogram(count: count + distance, sum: sum + distance, buckets: buckets + distance, rate: rate, centre: centre)
            }
        }
    }

    /// Encoded bytes with their places.
    struct Message {
        var wire = WireWriter()
        var places: [Place] = []

        var bytes: [UInt8] { wire.bytes }

        mutating func message(_ number: UInt32, _ content: Message) {
            wire.tag(number, .lengthDelimited)
            wire.varint(UInt64(content.wire.bytes.count))
            append(content)
        }

        mutating func append(_ other: Message) {
            let base = wire.bytes.count
            wire.bytes.append(contentsOf: other.wire.bytes)
            places.append(contentsOf: other.places.map { $0.moved(by: base) })
        }
    }

    private enum Shape: UInt32 {
        case gauge = 5
        case sum = 7
        case histogram = 9
    }

    private struct Metric {
        let name: String
        let unit: String
        let shape: Shape
        var points = Message()
    }

    private let start: UInt64
    private var metrics: [Metric] = []
    private(set) var rows = 0

    init(start: UInt64) {
        self.start = start
    }

    mutating func counter(_ name: String, unit: String, _ attributes: [Attribute], rate: Double) {
        var point = head(attributes)
        point.wire.tag(6, .fixed64)
        point.places.append(.counter(point.wire.bytes.count, rate: rate))
        point.wire.fixed64(0)
        add(point, to: Metric(name: name, unit: unit, shape: .sum), rows: 1)
    }

    mutating func gauge(_ name: String, unit: String, _ attributes: [Attribute], value: Double, step: Double) {
        var point = head(attributes)
        point.wire.tag(4, .fixed64)
        point.places.append(.gauge(point.wire.bytes.count, value: value, step: step))
        point.wire.fixed64(0)
        add(point, to: Metric(name: name, unit: unit, shape: .gauge), rows: 1)
    }

    mutating func histogram(_ name: String, unit: String, _ attributes: [Attribute], rate: Double, centre: Int) {
        let bounds = SamplePayload.bounds
        var point = head(attributes, field: 9)
        point.wire.tag(4, .fixed64)
        let count = point.wire.bytes.count
        point.wire.fixed64(0)
        point.wire.tag(5, .fixed64)
        let sum = point.wire.bytes.count
        point.wire.fixed64(0)
        point.wire.tag(6, .lengthDelimited)
        point.wire.varint(UInt64((bounds.count + 1) * 8))
        point.places.append(.histogram(count: count, sum: sum, buckets: point.wire.bytes.count, rate: rate, centre: centre))
        for _ in 0...bounds.count { point.wire.fixed64(0) }
        point.wire.tag(7, .lengthDelimited)
        point.wire.varint(UInt64(bounds.count * 8))
        for bound in bounds { point.wire.fixed64(bound.bitPattern) }
        add(point, to: Metric(name: name, unit: unit, shape: .histogram), rows: bounds.count + 3)
    }

    /// The whole as field 1 of `ExportMetricsServiceRequest`.
    func finish(resource: [Attribute]) -> Message {
        var scope = Message()
        scope.wire.scopeField(name: "shop.metrics", version: "1.0.0")
        for metric in metrics {
            var data = metric.points
            if metric.shape != .gauge { data.wire.varintField(2, 2) }
            if metric.shape == .sum { data.wire.varintField(3, 1) }
            var encoded = Message()
            encoded.wire.stringField(1, metric.name)
            encoded.wire.stringField(3, metric.unit)
            encoded.message(metric.shape.rawValue, data)
            scope.message(2, encoded)
        }
        var group = Message()
        group.wire.resourceField(resource)
        group.message(2, scope)
        var request = Message()
        request.message(1, group)
        return request
    }

    private func head(_ attributes: [Attribute], field: UInt32 = 7) -> Message {
        var point = Message()
        point.wire.keyValues(field, attributes)
        point.wire.fixed64Field(2, start)
        point.wire.tag(3, .fixed64)
        point.places.append(.time(point.wire.bytes.count))
        point.wire.fixed64(0)
        return point
    }

    private mutating func add(_ point: Message, to metric: Metric, rows: Int) {
        let index = metrics.firstIndex { $0.name == metric.name } ?? metrics.endIndex
        if index == metrics.endIndex { metrics.append(metric) }
        metrics[index].points.message(1, point)
        self.rows += rows
    }
}

import OrielClient
import OrielOTLP
import OrielTelemetry

/// The rows of a batch, each of which becomes a line.
enum ConsoleRows {
    /// `order` are the rows by time: threads hand over what they logged in chunks, so that lines of different threads come in groups.
    case logs(LogBatch, scopes: [String], order: [Int])
    case spans(SpanBatch, scopes: [String])
    case metrics([MetricRow])

    init(_ batch: ExportBatch, decoder: inout OTLPDecoder) throws(OTLPError) {
        let request = batch.request
        switch batch.signal {
        case .logs:
            let decoded = try decoder.logs(request.span, receiveTime: .now)
            let times = decoded.batch.times
            let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
            self = .logs(decoded.batch, scopes: Self.scopes(decoded.batch.streams), order: order)
        case .spans:
            let decoded = try decoder.traces(request.span)
            self = .spans(decoded.batch, scopes: Self.scopes(decoded.batch.streams))
        case .metrics:
            self = .metrics(MetricRow.rows(of: try decoder.metrics(request.span, receiveTime: .now)))
        }
    }

    /// The names of the scopes, by stream.
    private static func scopes(_ streams: StreamTable) -> [String] {
        (0..<streams.count).map { index in
            do {
                guard case .scope(_, let scope) = try streams.decoded(index) else { return "" }
                return scope.name
            } catch {
                // Cannot be: the decoder wrote it.
                return ""
            }
        }
    }

    var count: Int {
        switch self {
        case .logs(_, _, let order): order.count
        case .spans(let batch, _): batch.count
        case .metrics(let rows): rows.count
        }
    }

    /// Appends a row and the end of its line.
    func append(_ row: Int, style: ConsoleStyle, to bytes: inout [UInt8]) {
        if style.isPretty {
            var line = PrettyLine(usesColor: style.usesColor)
            switch self {
            case .logs(let batch, let scopes, let order): line.log(batch, order[row], logger: scopes[Int(batch.streamIndexes[order[row]])])
            case .spans(let batch, let scopes): line.span(batch, row, scope: scopes[Int(batch.streamIndexes[row])])
            case .metrics(let rows): line.metric(rows[row])
            }
            bytes.append(contentsOf: line.bytes)
        } else {
            // The buffer is moved into the writer and back, so that it is not copied.
            var taken: [UInt8] = []
            swap(&taken, &bytes)
            var writer = JSONWriter(bytes: taken)
            taken = []
            switch self {
            case .logs(let batch, let scopes, let order): writer.log(batch, order[row], logger: scopes[Int(batch.streamIndexes[order[row]])])
            case .spans(let batch, let scopes): writer.span(batch, row, scope: scopes[Int(batch.streamIndexes[row])])
            case .metrics(let rows): writer.metric(rows[row])
            }
            swap(&writer.bytes, &bytes)
        }
        bytes.append(UInt8(ascii: "\n"))
    }
}

/// A sample of a metric, under the name and the labels that Prometheus would give it.
struct MetricRow {
    enum Value {
        case number(Double)
        case histogram(count: Double, sum: Double)
    }

    var time: Timestamp
    var name: String
    var labels: [Label]
    var value: Value
    /// Whether the value is what was added since ``start``.
    var isDelta = false

    static func rows(of metrics: DecodedMetrics) -> [MetricRow] {
        numbers(metrics.samples, isDelta: false) + histograms(metrics.histograms, isDelta: false)
            + numbers(metrics.deltas.samples, isDelta: true) + histograms(metrics.deltas.histograms, isDelta: true)
    }

    private static func numbers(_ batch: SampleBatch, isDelta: Bool) -> [MetricRow] {
        let series = Series(batch.streams)
        return (0..<batch.count).compactMap { row in
            series.row(batch.streamIndexes[row], batch.times[row], .number(batch.values[row]), isDelta: isDelta)
        }
    }

    private static func histograms(_ batch: HistogramBatch, isDelta: Bool) -> [MetricRow] {
        let series = Series(batch.streams)
        return (0..<batch.count).compactMap { row in
            series.row(batch.streamIndexes[row], batch.times[row], .histogram(count: batch.counts[row], sum: batch.sums[row]), isDelta: isDelta)
        }
    }

    /// The names and labels of a batch's streams, each read once.
    private struct Series {
        private let known: [(name: String, labels: [Label])?]

        init(_ streams: StreamTable) {
            known = (0..<streams.count).map { index in
                do {
                    guard case .series(let labels) = try streams.decoded(index) else { return nil }
                    let name = labels.first { $0.name == Label.metricName }?.value ?? ""
                    // What the process is, is not on each line.
                    if name == "target_info" { return nil }
                    return (name, labels.filter { ![Label.metricName, "job", "instance"].contains($0.name) })
                } catch {
                    // Cannot be: the decoder wrote it.
                    return nil
                }
            }
        }

        func row(_ stream: UInt32, _ time: Int64, _ value: Value, isDelta: Bool) -> MetricRow? {
            known[Int(stream)].map { MetricRow(time: Timestamp(milliseconds: time), name: $0.name, labels: $0.labels, value: value, isDelta: isDelta) }
        }
    }
}

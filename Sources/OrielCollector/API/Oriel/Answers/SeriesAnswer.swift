import OrielStore
import OrielTelemetry

/// Which of a series' samples an answer holds.
enum SeriesSampling: Sendable, Equatable {
    case none
    /// Every sample.
    case all
    /// The last sample in each of so many equal parts of a range, in milliseconds.
    case steps(count: Int, start: Int64, width: Int64)

    init(_ parameters: RequestParameters, range: TimeRange) throws(APIError) {
        switch try parameters.single("points") {
        case nil: self = .none
        case "all": self = .all
        case let text?:
            guard let count = Int(text), (1...1_000).contains(count) else {
                throw .invalid("points", text, expected: "all or a number of steps from 1 to 1000")
            }
            let start = range.start.milliseconds
            // A range without an end ends now.
            let end = min(range.end, max(parameters.now, range.start)).milliseconds
            self = .steps(count: count, start: start, width: max(1, end.subtractingSaturating(start) / Int64(count)))
        }
    }

    /// The part of the range that a time lies in.
    func step(of time: Int64) -> Int64 {
        guard case .steps(let count, let start, let width) = self else { return 0 }
        return min(Int64(count) - 1, max(0, time.subtractingSaturating(start) / width))
    }
}

/// An exemplar of a series.
struct SeriesExemplar: Sendable {
    /// Milliseconds since 1970.
    var time: Int64
    var value: Double
    var traceID: TraceID
    var spanID: SpanID
    var attributes: [Attribute]
}

/// What is gathered of one series.
struct SeriesRow: Sendable {
    /// The latest sample that is no stale marker.
    var last: SeriesPoint?
    /// The time of the latest stale marker.
    private var staleTime: Int64?
    var points: [SeriesPoint] = []
    private var hasAllPoints = true
    var exemplars: [SeriesExemplar] = []

    /// Adds a sample; samples of one kind come in the order of time.
    mutating func add(_ point: SeriesPoint, _ sampling: SeriesSampling) {
        if point.isStale {
            staleTime = max(staleTime ?? .min, point.time)
        } else if point.time >= last?.time ?? .min {
            last = point
        }
        switch sampling {
        case .none: break
        case .all:
            if points.count < OrielAPI.maximumPoints { points.append(point) } else { hasAllPoints = false }
        case .steps:
            if let previous = points.last, sampling.step(of: previous.time) == sampling.step(of: point.time), previous.time <= point.time {
                points[points.count - 1] = point
            } else {
                points.append(point)
            }
        }
    }

    func write(labels: [Label], _ families: MetricFamilies, hasPoints: Bool, hasExemplars: Bool, to writer: inout JSONWriter) {
        let name = labels.first { $0.name == Label.metricName }?.value ?? ""
        let family = families.family(ofSeries: name)
        writer.object { writer in
            writer.member("name", name)
            writer.key("labels")
            writer.object { writer in
                for label in labels where label.name != Label.metricName { writer.member(label.name, label.value) }
            }
            writer.member("type", family.kind.name)
            writer.member("unit", family.unit)
            writer.key("last")
            if let last { last.write(to: &writer) } else { writer.null() }
            writer.key("stale")
            writer.bool(staleTime.map { $0 > last?.time ?? .min } ?? false)
            if hasPoints {
                writer.key("points")
                writer.array { writer in
                    for point in points { point.write(to: &writer) }
                }
                writer.key("points_complete")
                writer.bool(hasAllPoints)
            }
            if hasExemplars {
                writer.key("exemplars")
                writer.array { writer in
                    for exemplar in exemplars {
                        writer.object { writer in
                            writer.time("time", Timestamp(milliseconds: exemplar.time))
                            writer.key("value")
                            writer.double(exemplar.value)
                            writer.member("trace_id", exemplar.traceID)
                            writer.member("span_id", exemplar.spanID)
                            writer.member("attributes", attributes: exemplar.attributes)
                        }
                    }
                }
            }
        }
    }
}

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

    /// Series of one page: what is gathered of them is in memory at once.
    var maximumSeries: Int {
        switch self {
        case .none: OrielAPI.maximumSeries
        case .all: OrielAPI.maximumPagePoints / OrielAPI.maximumPoints
        case .steps(let count, _, _): OrielAPI.maximumPagePoints / count
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
    private(set) var hasAllPoints = true
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

    /// Whether the series has ended: a stale marker is the latest that was heard of it.
    var isStale: Bool { staleTime.map { $0 > last?.time ?? .min } ?? false }
}

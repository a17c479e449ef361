/// The five data sets of a store. Raw values are stored in files.
public enum Signal: UInt8, Sendable, CaseIterable, Comparable {
    case logs = 1
    case spans = 2
    /// Float samples of metrics.
    case samples = 3
    /// Native histogram samples of metrics.
    case histograms = 4
    case exemplars = 5

    public static func < (left: Signal, right: Signal) -> Bool { left.rawValue < right.rawValue }

    /// The fixed columns of a batch, in order.
    public var columns: [ColumnID] {
        switch self {
        case .logs: Signal.logColumns
        case .spans: Signal.spanColumns
        case .samples: Signal.sampleColumns
        case .histograms: Signal.histogramColumns
        case .exemplars: Signal.exemplarColumns
        }
    }

    private static let spanColumns: [ColumnID] = [
        .traceID, .spanID, .parentSpanID, .traceState, .name, .kind, .duration, .statusCode, .statusMessage, .flags, .droppedAttributes, .events,
        .droppedEvents, .links, .droppedLinks,
    ]
    private static let logColumns: [ColumnID] = [
        .traceID, .spanID, .severityNumber, .severityText, .bodyType, .body, .observedTime, .timeOrigin, .flags, .droppedAttributes, .eventName,
    ]
    private static let sampleColumns: [ColumnID] = [.value]
    private static let histogramColumns: [ColumnID] = [.count, .sum, .buckets]
    private static let exemplarColumns: [ColumnID] = [.value, .traceID, .spanID]

    /// Whether rows carry attributes of their own.
    public var hasAttributes: Bool {
        switch self {
        case .logs, .spans, .exemplars: true
        case .samples, .histograms: false
        }
    }

    /// Whether rows are told apart by a row number. Samples are unique by stream and time and need none.
    public var hasOrds: Bool { hasAttributes }

    /// Whether streams are metric series (name and labels) instead of a resource and a scope.
    public var isMetric: Bool {
        switch self {
        case .logs, .spans: false
        case .samples, .histograms, .exemplars: true
        }
    }

    /// Nanoseconds in one unit of a row's time: logs and spans keep nanoseconds, metrics milliseconds.
    public var nanosecondsPerTimeUnit: Int64 { isMetric ? 1_000_000 : 1 }

    /// The name in paths, messages and metrics.
    public var name: String {
        switch self {
        case .logs: "logs"
        case .spans: "spans"
        case .samples: "samples"
        case .histograms: "histograms"
        case .exemplars: "exemplars"
        }
    }
}

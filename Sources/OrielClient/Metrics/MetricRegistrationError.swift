public import OrielTelemetry

/// Why a metric could not be registered as asked.
public enum MetricRegistrationError: Error, Sendable, Equatable {
    /// The name is not of the form `[a-zA-Z_:][a-zA-Z0-9_:]*`, or too long.
    case invalidName(String)
    /// A label's name is not of the form `[a-zA-Z_][a-zA-Z0-9_]*`, begins with two underscores, is used by the text formats themselves
    /// (`le`, `quantile`), occurs twice, or is too long.
    case invalidLabel(String, reason: String)
    /// One of the names that the metric's series would have belongs to another metric already.
    case nameTaken(String, by: String, kind: MetricFamily.Kind, requested: MetricFamily.Kind)
    /// The bounds cannot be used, or differ from those of the metric's other series.
    case invalidBuckets(String, reason: String)
    /// A series with these labels exists, and has its value from elsewhere.
    case seriesTaken(String)
    /// The registry's limit of metrics is reached.
    case tooManyMetrics(limit: Int)

    /// A short name of the case, fit to be a label's value.
    public var reason: String { Reason(self).rawValue }

    enum Reason: String, CaseIterable {
        case invalidName = "invalid_name"
        case invalidLabel = "invalid_label"
        case nameTaken = "name_taken"
        case invalidBuckets = "invalid_buckets"
        case seriesTaken = "series_taken"
        case tooManyMetrics = "too_many_metrics"

        init(_ error: MetricRegistrationError) {
            switch error {
            case .invalidName: self = .invalidName
            case .invalidLabel: self = .invalidLabel
            case .nameTaken: self = .nameTaken
            case .invalidBuckets: self = .invalidBuckets
            case .seriesTaken: self = .seriesTaken
            case .tooManyMetrics: self = .tooManyMetrics
            }
        }
    }
}

extension MetricRegistrationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidName(let name):
            "the metric name \"\(name.prefix(100))\" is not 1 to \(MetricName.maximumLength) of the characters a-z A-Z 0-9 _ : "
                + "with no digit in front"
        case .invalidLabel(let name, let reason):
            "the label \"\(name.prefix(100))\" \(reason)"
        case .nameTaken(let name, let owner, let kind, let requested):
            "the name \"\(name)\" belongs to the \(kind) \"\(owner)\" already, a \(requested) cannot have it"
        case .invalidBuckets(let name, let reason):
            "the buckets of histogram \"\(name)\" cannot be used: \(reason)"
        case .seriesTaken(let name):
            "a series of \"\(name)\" with these labels has its value from elsewhere already"
        case .tooManyMetrics(let limit):
            "the registry's limit of \(limit) metrics is reached"
        }
    }
}

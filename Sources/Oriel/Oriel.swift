public import OrielClient

/// The client of the Oriel observability stack: what a Swift service or function imports to be observed.
///
/// All that this module declares nests in here, since a type at the top that is named like its module would hide the module's name.
public enum Oriel {
    /// All metrics of a process, kept once and read by whoever exports them.
    public typealias MetricRegistry = OrielClient.MetricRegistry
    /// A sum that only grows.
    public typealias Counter = OrielClient.Counter
    /// A value that goes up and down.
    public typealias Gauge = OrielClient.Gauge
    /// A distribution of values.
    public typealias Histogram = OrielClient.Histogram
    /// How a histogram divides the values that it counts.
    public typealias HistogramBuckets = OrielClient.HistogramBuckets
    /// Labels as a caller gives them: `["code": "200"]`.
    public typealias MetricLabels = OrielClient.MetricLabels
    /// Why a metric could not be registered as asked.
    public typealias MetricRegistrationError = OrielClient.MetricRegistrationError
    /// What a registry held at one moment.
    public typealias MetricSnapshot = OrielClient.MetricSnapshot
    /// Takes metrics whose values live elsewhere, each time they are read.
    public typealias MetricCollector = OrielClient.MetricCollector
    /// The metrics of the running process: `registry.addCollector(Oriel.ProcessMetrics.collect)`.
    public typealias ProcessMetrics = OrielClient.ProcessMetrics
    /// A text format that metrics can be scraped in.
    public typealias ExpositionFormat = OrielClient.ExpositionFormat
}

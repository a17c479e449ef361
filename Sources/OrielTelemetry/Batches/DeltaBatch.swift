/// Metric points of delta temporality: what was added since the point before. A store sums them into absolute samples, in commit order.
public struct DeltaBatch: Sendable {
    /// Float increments.
    public var samples = SampleBatch()
    /// For each row of ``samples`` the start of its interval, in milliseconds since 1970; 0 when unknown. The row's time is the end.
    public var sampleStartTimes: [Int64] = []
    /// Native histogram increments.
    public var histograms = HistogramBatch()
    /// For each row of ``histograms`` the start of its interval, in milliseconds since 1970; 0 when unknown.
    public var histogramStartTimes: [Int64] = []

    public init() {}

    public var isEmpty: Bool { samples.count == 0 && histograms.count == 0 }
}

/// How a histogram divides the values that it counts.
public enum HistogramBuckets: Sendable, Hashable {
    /// Classic buckets with these upper bounds (inclusive), ascending; one up to infinity is added.
    case explicit([Double])
    /// A base-2 exponential (Prometheus: native) histogram, whose buckets follow the values. It starts at `maximumScale` (at most 20) and
    /// halves its resolution whenever it would need more than `maximumBuckets` (4 to 160) buckets for one sign.
    case exponential(maximumBuckets: Int = 160, maximumScale: Int = 20)

    /// Bounds for durations in seconds, from 5 ms to 10 s: those that OpenTelemetry's semantic conventions advise for HTTP.
    public static let seconds = HistogramBuckets.explicit(
        [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10])

    /// Bounds for values of which nothing is known, from 0 to 10,000: OpenTelemetry's defaults.
    public static let general = HistogramBuckets.explicit([0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000])

    /// The most bounds that are accepted.
    static let maximumBounds = 512

    /// What is wrong with the bounds, or nil.
    var fault: String? {
        guard case .explicit(let bounds) = self else { return nil }
        if bounds.count > Self.maximumBounds { return "\(bounds.count) bounds, at most \(Self.maximumBounds) are kept" }
        if let bound = bounds.first(where: { !$0.isFinite }) { return "the bound \(bound) is not finite (the one at infinity is added)" }
        for (lower, upper) in zip(bounds, bounds.dropFirst()) where upper <= lower {
            return "the bound \(upper) follows \(lower), but bounds ascend"
        }
        return nil
    }

    /// The same without what ``fault`` would name.
    var repaired: HistogramBuckets {
        guard case .explicit(let bounds) = self, fault != nil else { return self }
        var ascending: [Double] = []
        for bound in bounds.filter(\.isFinite).sorted() where ascending.last != bound { ascending.append(bound) }
        return .explicit(Array(ascending.prefix(Self.maximumBounds)))
    }
}

import OrielStore
import OrielTelemetry

/// What pages need of a list of series besides their samples.
struct SeriesLayout: Sendable {
    var order: SeriesOrder
    /// `nil` when the series are written from their descriptors, one by one.
    var texts: SeriesTexts?
    /// Whether the texts take more than is kept, so that nobody tries again.
    var areTextsTooLarge = false

    /// Bytes of what it holds.
    var byteCount: Int { order.ids.count * 24 + (texts?.byteCount ?? 0) }
}

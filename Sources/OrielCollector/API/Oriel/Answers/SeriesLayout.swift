import OrielStore
import OrielTelemetry
import Synchronization

/// What pages need of a list of series besides their samples.
struct SeriesLayout: Sendable {
    var order: SeriesOrder
    /// By index in the list, the labels as a member of an answer; `nil` when they are made one by one.
    var labels: ByteColumn?
    /// Whether the labels take more than is kept, so that nobody tries again.
    var areLabelsTooLarge = false
}

/// The layout of the list that was shown last. Who looks again, as a dashboard does every few seconds, asks for the same series, and whoever turns a page does, too: sorting them and
/// escaping their labels takes longer than reading their samples.
final class LatestSeriesLayout: Sendable {
    /// Labels that are kept, as they lie in answers: as many as fit on a page.
    static let maximumLabelBytes = OrielAPI.pageBytes

    private let latest = Mutex<SeriesLayout?>(nil)

    /// The layout of a list, if this is the latest.
    func layout(of list: SeriesList) -> SeriesLayout? {
        guard let latestLayout, latestLayout.order.ids == list.ids else { return nil }
        return latestLayout
    }

    /// The layout that is kept.
    var latestLayout: SeriesLayout? { latest.withLock { $0 } }

    /// Replaces the latest.
    func keep(_ layout: SeriesLayout) { latest.withLock { $0 = layout } }
}

import OrielTelemetry
import Synchronization

/// The layouts of the lists that were shown last. Who looks again, as the panels of a dashboard do every few seconds, asks for the same series, and whoever turns a page does, too:
/// sorting them and escaping their labels takes longer than reading their samples.
final class RecentSeriesLayouts: Sendable {
    /// Bytes of a list's texts that are kept, as they lie in answers: as many as fit on a page.
    static let maximumTextBytes = OrielAPI.pageBytes
    /// Bytes of all layouts.
    static let maximumBytes = 2 * OrielAPI.pageBytes
    static let maximumCount = 32

    /// The one that was asked for last at the end.
    private let layouts = Mutex<[SeriesLayout]>([])

    /// The layout of some series, if it is still there.
    func layout(of ids: [StreamID]) -> SeriesLayout? {
        layouts.withLock { layouts in
            guard let index = layouts.lastIndex(where: { $0.order.ids == ids }) else { return nil }
            let layout = layouts.remove(at: index)
            layouts.append(layout)
            return layout
        }
    }

    /// Keeps a layout, in place of one of the same series that knows less and of those that were not asked for longest.
    func keep(_ layout: SeriesLayout) {
        layouts.withLock { layouts in
            if let index = layouts.firstIndex(where: { $0.order.ids == layout.order.ids }) {
                // Of two requests at the same time one may have wanted the order alone.
                if layouts[index].texts != nil || layouts[index].areTextsTooLarge { return }
                layouts.remove(at: index)
            }
            layouts.append(layout)
            var byteCount = layouts.reduce(0) { $0 + $1.byteCount }
            while layouts.count > Self.maximumCount || byteCount > Self.maximumBytes, let oldest = layouts.first {
                byteCount -= oldest.byteCount
                layouts.removeFirst()
            }
        }
    }

    /// All that are kept, the one that was asked for last at the end.
    var all: [SeriesLayout] { layouts.withLock { $0 } }
}

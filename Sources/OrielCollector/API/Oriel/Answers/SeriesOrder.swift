import OrielStore
import OrielTelemetry

/// The order in which pages show series: by name, then by the other labels, byte by byte. Of very long labels only the beginnings count, so that cursors stay short enough for a
/// request's first line.
struct SeriesOrder: Sendable {
    /// By index in the list, what the series are sorted by.
    private let places: ByteColumn
    /// The indexes of the series behind the position that the order was made for.
    let indexes: [Int]

    /// Sorts a list.
    ///
    /// - Parameter position: The ``place(of:)`` behind which the indexes begin; `nil` for all.
    /// - Throws: An error for bytes that are no series' labels, which no store lists for a signal of samples.
    init(of list: SeriesList, after position: String?) throws(WireError) {
        var places = ByteColumn()
        places.reserveCapacity(list.count, bytes: list.descriptors.bytes.count)
        for index in 0..<list.count {
            try Self.appendPlace(of: list.descriptors.bytes.span.extracting(list.descriptors.range(of: index)), to: &places)
        }
        let bytes = places.bytes.span
        let start = position.map { Array($0.utf8) } ?? []
        var order = Array(0..<list.count)
        if position != nil { order.removeAll { !start.span.precedes(bytes.extracting(places.range(of: $0))) } }
        order.sort { bytes.extracting(places.range(of: $0)).precedes(bytes.extracting(places.range(of: $1))) }
        indexes = order
        self.places = places
    }

    /// Where the next page begins behind a series.
    func place(of index: Int) -> String { places.string(at: index) }

    /// Bytes of a series' labels that are compared as they are.
    private static let maximumBytes = 1_000

    private static func appendPlace(of descriptor: Span<UInt8>, to places: inout ByteColumn) throws(WireError) {
        guard descriptor.count > maximumBytes else {
            try append(descriptor, to: &places)
            return
        }
        var whole = ByteColumn()
        try append(descriptor, to: &whole)
        var end = min(maximumBytes, whole.bytes.count)
        // Not within a character: places are text.
        while end > 0, end < whole.bytes.count, whole.bytes[end] & 0xC0 == 0x80 { end -= 1 }
        places.extendValue(whole.bytes.span.extracting(0..<end))
        places.extendValue(separator.span)
        // Tells apart what begins alike.
        places.extendValue(Array(String(ByteHash.hash(descriptor), radix: 16).utf8).span)
        places.finishValue()
    }

    private static func append(_ descriptor: Span<UInt8>, to places: inout ByteColumn) throws(WireError) {
        if let name = try descriptor.metricName() { extend(&places, descriptor.extracting(name)) }
        var reader = try SeriesLabelReader(descriptor)
        while let label = try reader.next(in: descriptor) {
            let name = descriptor.extracting(label.name)
            if name.isMetricName { continue }
            places.extendValue(separator.span)
            extend(&places, name)
            places.extendValue(separator.span)
            extend(&places, descriptor.extracting(label.value))
        }
        places.finishValue()
    }

    private static let separator: [UInt8] = [1]

    /// Adds text to a place. Places travel in cursors, which are text: where bytes are no UTF-8, what an answer shows in their stead counts.
    private static func extend(_ places: inout ByteColumn, _ text: Span<UInt8>) {
        if text.isASCII { places.extendValue(text) } else { places.extendValue(Array(String(repairing: text).utf8).span) }
    }
}

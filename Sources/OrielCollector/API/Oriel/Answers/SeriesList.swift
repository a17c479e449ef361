import OrielStore
import OrielTelemetry

/// The series that a request matches: their encoded labels, which are only made texts of where a list of them is not the point, and the order in which pages show them.
struct SeriesList: Sendable {
    private(set) var ids: [StreamID] = []
    /// By index, ``StreamDescriptor/encoded``.
    private(set) var descriptors = ByteColumn()
    /// By index, what the series are sorted by, byte by byte: the name, then the other labels.
    private var places = ByteColumn()

    var count: Int { ids.count }

    /// Adds the series of a store's list that are not there yet.
    ///
    /// - Throws: An error for bytes that are no series' labels, which no store lists for a signal of samples.
    mutating func add(_ streams: StreamList) throws(WireError) {
        if count == 0 {
            // Mostly all that there is.
            places.reserveCapacity(streams.count, bytes: streams.descriptors.bytes.count)
            for index in 0..<streams.count { try appendPlace(of: streams.descriptors, index) }
            (ids, descriptors) = (streams.ids, streams.descriptors)
            return
        }
        let known = Set(ids)
        for (index, id) in streams.ids.enumerated() where !known.contains(id) {
            try appendPlace(of: streams.descriptors, index)
            descriptors.append(streams.descriptors.bytes.span.extracting(streams.descriptors.range(of: index)))
            ids.append(id)
        }
    }

    private mutating func appendPlace(of column: ByteColumn, _ index: Int) throws(WireError) {
        let descriptor = column.bytes.span.extracting(column.range(of: index))
        if let name = try descriptor.metricName() { extendPlace(descriptor.extracting(name)) }
        var reader = try SeriesLabelReader(descriptor)
        while let label = try reader.next(in: descriptor) {
            let name = descriptor.extracting(label.name)
            if name.isMetricName { continue }
            places.extendValue(Self.separator.span)
            extendPlace(name)
            places.extendValue(Self.separator.span)
            extendPlace(descriptor.extracting(label.value))
        }
        places.finishValue()
    }

    private static let separator: [UInt8] = [1]

    /// Adds text to a place. Places travel in cursors, which are text: where bytes are no UTF-8, what an answer shows in their stead counts.
    private mutating func extendPlace(_ text: Span<UInt8>) {
        if text.isASCII { places.extendValue(text) } else { places.extendValue(Array(String(repairing: text).utf8).span) }
    }

    /// Where the next page begins behind a series.
    func place(of index: Int) -> String { places.string(at: index) }

    /// The indexes of the series behind a position, in the order of their places.
    func indexes(after position: String?) -> [Int] {
        let bytes = places.bytes.span
        let start = position.map { Array($0.utf8) } ?? []
        var order = Array(0..<count)
        if position != nil { order.removeAll { !start.span.precedes(bytes.extracting(places.range(of: $0))) } }
        order.sort { bytes.extracting(places.range(of: $0)).precedes(bytes.extracting(places.range(of: $1))) }
        return order
    }
}

extension Span<UInt8> {
    /// Whether these are the bytes of `__name__`.
    var isMetricName: Bool { count == 8 && isEqual(to: metricNameBytes.span) }

    /// Where in an encoded series the metric's name lies.
    func metricName() throws(WireError) -> Range<Int>? {
        var reader = try SeriesLabelReader(self)
        while let label = try reader.next(in: self) {
            if extracting(label.name).isMetricName { return label.value }
        }
        return nil
    }
}

private let metricNameBytes = Array(Label.metricName.utf8)

import OrielStore
import OrielTelemetry

/// The order in which pages show the series of a list: by name, then by the other labels, byte by byte. Of very long labels only the beginnings count, so that cursors stay short enough
/// for a request's first line.
struct SeriesOrder: Sendable {
    /// The list that was sorted. A stream's id stands for its labels.
    let ids: [StreamID]
    /// The indexes in the list, in the order of pages.
    let indexes: [UInt32]

    /// Sorts a list.
    ///
    /// - Throws: An error for bytes that are no series' labels, which no store lists for a signal of samples.
    init(of list: StreamList) throws(WireError) {
        var places = ByteColumn()
        places.reserveCapacity(list.count, bytes: list.descriptors.bytes.count)
        for index in 0..<list.count { try Self.appendPlace(of: list.descriptors.bytes.span.extracting(list.descriptors.range(of: index)), to: &places) }
        let bytes = places.bytes.span
        ids = list.ids
        indexes = (0..<UInt32(list.count)).sorted { bytes.extracting(places.range(of: Int($0))).precedes(bytes.extracting(places.range(of: Int($1)))) }
    }

    /// The indexes of the series behind a place, in the order of pages.
    ///
    /// - Parameters:
    ///   - place: As of ``place(of:)``.
    ///   - placeOfSeries: The place of one of the sorted series.
    /// - Complexity: O(log *n*) places.
    func indexes(
        after place: String, _ placeOfSeries: (StreamID) async throws(APIError) -> String
    ) async throws(APIError) -> ArraySlice<UInt32> {
        let start = Array(place.utf8)
        var low = 0
        var high = indexes.count
        while low < high {
            let middle = (low + high) / 2
            let bytes = Array(try await placeOfSeries(ids[Int(indexes[middle])]).utf8)
            if start.span.precedes(bytes.span) { high = middle } else { low = middle + 1 }
        }
        return indexes[low...]
    }

    /// Where the next page begins behind a series.
    static func place(of descriptor: Span<UInt8>) throws(WireError) -> String {
        var places = ByteColumn()
        try appendPlace(of: descriptor, to: &places)
        return places.string(at: 0)
    }

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

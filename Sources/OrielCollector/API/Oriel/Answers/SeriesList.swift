import OrielStore
import OrielTelemetry

/// The series that a request matches: their encoded labels, which are only made texts of where a list of them is not the point, and the order in which pages show them.
struct SeriesList: Sendable {
    private(set) var ids: [StreamID] = []
    /// By index, ``StreamDescriptor/encoded``.
    private(set) var descriptors = ByteColumn()
    /// By index, what the series are sorted by, byte by byte: the name, then the other labels.
    private var places = ByteColumn()
    private var known: Set<StreamID> = []

    var count: Int { ids.count }

    /// Adds the series of a table that are not there yet.
    ///
    /// - Throws: An error for bytes that are no descriptor, which no store hands out.
    mutating func add(_ streams: StreamTable) throws(WireError) {
        let encoded = streams.descriptors
        let bytes = encoded.bytes.span
        descriptors.reserveCapacity(count + streams.count, bytes: descriptors.bytes.count + bytes.count)
        places.reserveCapacity(count + streams.count, bytes: places.bytes.count + bytes.count)
        for index in 0..<streams.count {
            let descriptor = bytes.extracting(encoded.range(of: index))
            guard let id = streams.id(index), descriptor.count > 0, descriptor[0] == StreamDescriptor.seriesMarker, known.insert(id).inserted else { continue }
            try appendPlace(of: descriptor)
            descriptors.append(descriptor)
            ids.append(id)
        }
    }

    private mutating func appendPlace(of descriptor: Span<UInt8>) throws(WireError) {
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

    fileprivate var isASCII: Bool {
        var all: UInt8 = 0
        for index in 0..<count { all |= self[index] }
        return all < 0x80
    }
}

private let metricNameBytes = Array(Label.metricName.utf8)

import OrielStore
import OrielTelemetry

/// A row's place in a scan's order as four numbers that always compare ascending: the merge needs to know nothing else about orders.
struct RowKey: Hashable, Comparable, Sendable {
    private var first: UInt64
    private var second: UInt64
    private var third: UInt64
    private var fourth: UInt64

    init(time: Int64, stream: StreamID, ord: UInt64, order: ScanOrder) {
        // Flipping the sign bit makes signed order unsigned order.
        let time = UInt64(bitPattern: time ^ .min)
        switch order {
        case .time: (first, second, third, fourth) = (time, stream.high, stream.low, ord)
        case .timeDescending: (first, second, third, fourth) = (~time, ~stream.high, ~stream.low, ~ord)
        case .streamThenTime: (first, second, third, fourth) = (stream.high, stream.low, time, ord)
        }
    }

    init(_ position: ScanPosition, order: ScanOrder) {
        self.init(time: position.time, stream: position.stream, ord: position.ord, order: order)
    }

    /// Before or at every row of a time range (or stream range) in an order.
    static func lowerBound(times: ClosedRange<Int64>, firstStream: StreamID, order: ScanOrder) -> RowKey {
        switch order {
        case .time: RowKey(time: times.lowerBound, stream: .minimum, ord: 0, order: order)
        case .timeDescending: RowKey(time: times.upperBound, stream: .maximum, ord: .max, order: order)
        case .streamThenTime: RowKey(time: .min, stream: firstStream, ord: 0, order: order)
        }
    }

    /// Behind or at every row of a time range (or stream range) in an order.
    static func upperBound(times: ClosedRange<Int64>, lastStream: StreamID, order: ScanOrder) -> RowKey {
        switch order {
        case .time: RowKey(time: times.upperBound, stream: .maximum, ord: .max, order: order)
        case .timeDescending: RowKey(time: times.lowerBound, stream: .minimum, ord: 0, order: order)
        case .streamThenTime: RowKey(time: .max, stream: lastStream, ord: .max, order: order)
        }
    }

    func position(order: ScanOrder) -> ScanPosition {
        switch order {
        case .time: ScanPosition(time: RowKey.time(first), stream: StreamID(high: second, low: third), ord: fourth)
        case .timeDescending: ScanPosition(time: RowKey.time(~first), stream: StreamID(high: ~second, low: ~third), ord: ~fourth)
        case .streamThenTime: ScanPosition(time: RowKey.time(third), stream: StreamID(high: first, low: second), ord: fourth)
        }
    }

    private static func time(_ number: UInt64) -> Int64 { Int64(bitPattern: number) ^ .min }

    @inline(__always)
    static func < (left: RowKey, right: RowKey) -> Bool {
        if left.first != right.first { return left.first < right.first }
        if left.second != right.second { return left.second < right.second }
        if left.third != right.third { return left.third < right.third }
        return left.fourth < right.fourth
    }
}

extension StreamID {
    static let minimum = StreamID(high: 0, low: 0)
    static let maximum = StreamID(high: .max, low: .max)
}

/// A selected row of a source.
struct RowEntry: Sendable {
    var key: RowKey
    /// Index of the source's chunk; 0 in a block.
    var unit: UInt32
    /// Index within the block or chunk.
    var row: UInt32
}

public import OrielTelemetry

/// How engines split a plan once they know where to cut.
extension ScanPlan {
    /// Plans for the time spans between some moments, in the plan's order.
    ///
    /// - Parameter times: Where parts begin, ascending and unique, in nanoseconds since 1970. Those outside the plan's range are ignored.
    public func cut(atTimes times: [Int64]) -> [ScanPlan] {
        var starts = [range.start]
        for time in times where Timestamp(nanoseconds: time) > range.start && Timestamp(nanoseconds: time) < range.end {
            starts.append(Timestamp(nanoseconds: time))
        }
        let parts = starts.indices.map { index in
            var part = self
            part.range = TimeRange(start: starts[index], end: index + 1 < starts.count ? starts[index + 1] : range.end)
            return part
        }
        return order == .timeDescending ? parts.reversed() : parts
    }

    /// Plans for the ranges between some stream ids, in the plan's order.
    ///
    /// - Parameter streams: Where parts begin, ascending and unique. Those outside the plan's range are ignored.
    public func cut(atStreams streams: [StreamID]) -> [ScanPlan] {
        let whole = streamRange ?? StreamID(high: 0, low: 0)...StreamID(high: .max, low: .max)
        let starts = [whole.lowerBound] + streams.filter { whole.lowerBound < $0 && $0 <= whole.upperBound }
        let parts = starts.indices.map { index in
            var part = self
            part.streamRange = starts[index]...(index + 1 < starts.count ? starts[index + 1].predecessor : whole.upperBound)
            return part
        }
        return order == .timeDescending ? parts.reversed() : parts
    }
}

extension StreamID {
    /// The id before this one; the first one is its own.
    fileprivate var predecessor: StreamID {
        if low > 0 { return StreamID(high: high, low: low - 1) }
        return high > 0 ? StreamID(high: high - 1, low: .max) : self
    }
}

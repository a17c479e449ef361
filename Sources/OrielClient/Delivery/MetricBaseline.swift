import OrielTelemetry

/// What was last sent of each series, so that the next request tells what was added since.
struct MetricBaseline: Sendable {
    private struct Key: Hashable {
        var family: String
        var labels: [UInt8]
        /// Of the cumulative series: one that began anew is another one, and may stand beside the one that was taken back.
        var origin: Timestamp
    }

    private struct Entry {
        var point: MetricSnapshot.Point
        /// Up to when it was told.
        var time: Timestamp
    }

    private var entries: [Key: Entry] = [:]
    /// As they were before the last snapshot, for what of it is taken back.
    private var earlier: [Key: Entry] = [:]

    /// Counters and histograms less what they were in the snapshot before; without those to which nothing was added, and what is no sum stays as it is.
    ///
    /// - Parameter isDelta: which metrics; the others stay as they are.
    mutating func delta(of snapshot: MetricSnapshot, where isDelta: (MetricSnapshot.Family) -> Bool = { _ in true }) -> MetricSnapshot {
        var result = snapshot
        var now: [Key: Entry] = [:]
        for family in snapshot.families.indices where isDelta(snapshot.families[family]) {
            result.families[family].series = []
            for series in snapshot.families[family].series {
                let key = Key(family: snapshot.families[family].name, labels: series.renderedLabels, origin: series.origin)
                now[key] = Entry(point: series.point, time: snapshot.time)
                let previous = entries[key]
                guard let point = series.point.less(previous?.point) else { continue }
                var changed = series
                changed.point = point
                if let previous { changed.start = previous.time }
                result.families[family].series.append(changed)
            }
        }
        earlier = entries
        entries = now
        return result
    }

    /// Makes series of the last snapshot what they were before it: the next one tells of them what this one was to tell, too.
    mutating func takeBack(_ families: [MetricSnapshot.Family]) {
        for family in families {
            for series in family.series {
                let key = Key(family: family.name, labels: series.renderedLabels, origin: series.origin)
                entries[key] = earlier[key]
            }
        }
        earlier = [:]
    }

    /// Says that nothing of the last snapshot will be taken back.
    mutating func settle() {
        earlier = [:]
    }
}

extension MetricSnapshot.Point {
    /// What was added since `previous`; `nil` when nothing was.
    fileprivate func less(_ previous: MetricSnapshot.Point?) -> MetricSnapshot.Point? {
        switch (self, previous) {
        case (.gauge, _), (.info, _):
            return self
        case (.counter(let value, var exemplar), let previous):
            var earlier = 0.0
            if case .counter(let value, let sent)? = previous {
                earlier = value
                if exemplar == sent { exemplar = nil }
            }
            // A counter that went back began anew.
            let added = value >= earlier ? value - earlier : value
            return added == 0 && previous != nil ? nil : .counter(added, exemplar: exemplar)
        case (.histogram(var histogram), let previous):
            if case .histogram(let earlier)? = previous, earlier.bounds == histogram.bounds {
                guard histogram.count != earlier.count else { return nil }
                for index in histogram.counts.indices { histogram.counts[index] &-= earlier.counts[index] }
                histogram.sum -= earlier.sum
                for (place, sent) in earlier.exemplars.enumerated() where histogram.exemplars[place] == sent { histogram.exemplars[place] = nil }
            }
            return .histogram(histogram)
        case (.exponentialHistogram(let histogram), let previous):
            guard case .exponentialHistogram(let earlier)? = previous else { return self }
            guard histogram.count != earlier.count else { return nil }
            return .exponentialHistogram(histogram.less(earlier))
        }
    }
}

extension MetricSnapshot.ExponentialHistogram {
    /// What was added since an earlier state, which has the same scale or a finer one.
    fileprivate func less(_ earlier: MetricSnapshot.ExponentialHistogram) -> MetricSnapshot.ExponentialHistogram {
        var result = self
        result.sum -= earlier.sum
        result.zeroCount &-= earlier.zeroCount
        result.exemplars.removeAll { earlier.exemplars.contains($0) }
        let shift = earlier.scale - scale
        Self.subtract(earlier.positiveCounts, at: earlier.positiveOffset, shift, from: &result.positiveCounts, at: positiveOffset)
        Self.subtract(earlier.negativeCounts, at: earlier.negativeOffset, shift, from: &result.negativeCounts, at: negativeOffset)
        return result
    }

    /// A step of the scale down puts two neighbouring buckets into one: index i becomes i >> 1.
    private static func subtract(_ counts: [UInt64], at offset: Int, _ shift: Int, from result: inout [UInt64], at start: Int) {
        for (position, count) in counts.enumerated() where count > 0 {
            let index = (offset + position) >> max(shift, 0)
            if result.indices.contains(index - start) { result[index - start] &-= count }
        }
    }
}

import OrielStore
import OrielTelemetry

/// Tells sources that share no place in (time, stream) with any other from those that do, in which one row may hide another.
enum SourceRivals {
    private struct Place {
        var source: ScanSource
        var times: ClosedRange<Int64>
        var streams: ClosedRange<StreamID>
        /// Blocks of one container and one span of commits were sealed or merged together, and no row was left in two of them.
        var origin: (container: ObjectIdentifier, low: CommitSequence, high: CommitSequence)?
        var isAlone = true

        func mayShareRows(with other: Place) -> Bool {
            if let origin, let others = other.origin, origin == others { return false }
            return times.overlaps(other.times) && streams.overlaps(other.streams)
        }
    }

    /// Sources none of whose rows can hide or be hidden, and those that are to be merged. A block that overlaps others for a part of its time is cut: blocks that were
    /// sealed one after the other share the time of a scrape or two at their ends.
    static func split(_ sources: [ScanSource], _ plan: ScanPlan, _ context: ScanContext) -> (alone: [ScanSource], rivals: [ScanSource]) {
        var places = sources.map { place($0, plan, context) }.sorted { $0.times.lowerBound < $1.times.lowerBound }
        // Those before that may still reach into the present time.
        var open: [Int] = []
        var contested: [ClosedRange<Int64>] = []
        for index in places.indices {
            open.removeAll { places[$0].times.upperBound < places[index].times.lowerBound }
            for other in open where places[index].mayShareRows(with: places[other]) {
                places[index].isAlone = false
                places[other].isAlone = false
                contested.append(places[index].times.clamped(to: places[other].times))
            }
            open.append(index)
        }
        contested = joined(contested)
        var alone: [ScanSource] = []
        var rivals: [ScanSource] = []
        for place in places {
            if place.isAlone {
                alone.append(place.source)
            } else if case .block = place.source.rows, let parts = cut(place.times, at: contested) {
                for part in parts {
                    let source = place.source.part(in: part.times, order: plan.order)
                    if part.isContested { rivals.append(source) } else { alone.append(source) }
                }
            } else {
                rivals.append(place.source)
            }
        }
        return (alone, rivals)
    }

    /// The same times as ranges that do not touch each other, ascending.
    private static func joined(_ ranges: [ClosedRange<Int64>]) -> [ClosedRange<Int64>] {
        var joined: [ClosedRange<Int64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, range.lowerBound <= last.upperBound.addingSaturating(1) {
                joined[joined.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                joined.append(range)
            }
        }
        return joined
    }

    /// Each part of a block is read by itself, so that few are worth it.
    private static let maximumParts = 7

    /// Some times cut into contested and other parts; `nil` when all are contested or there would be too many parts.
    private static func cut(_ times: ClosedRange<Int64>, at contested: [ClosedRange<Int64>]) -> [(times: ClosedRange<Int64>, isContested: Bool)]? {
        var parts: [(times: ClosedRange<Int64>, isContested: Bool)] = []
        var next = times.lowerBound
        for range in contested where range.overlaps(times) {
            let range = range.clamped(to: times)
            if next < range.lowerBound { parts.append((next...(range.lowerBound - 1), false)) }
            parts.append((range, true))
            guard range.upperBound < times.upperBound else { return parts.count == 1 || parts.count > maximumParts ? nil : parts }
            next = range.upperBound + 1
        }
        parts.append((next...times.upperBound, false))
        return parts.count > maximumParts ? nil : parts
    }

    /// Where a source's rows lie, as far as the plan asks for them.
    private static func place(_ source: ScanSource, _ plan: ScanPlan, _ context: ScanContext) -> Place {
        let wanted = plan.streamRange ?? .minimum ... .maximum
        switch source.rows {
        case .chunks(let chunks):
            let times = (chunks.map(\.minimumTime).min() ?? 0)...(chunks.map(\.maximumTime).max() ?? 0)
            // Chunks of one group may hide each other's rows.
            return Place(source: source, times: times, streams: wanted, origin: nil, isAlone: false)
        case .block(let container, let header, _):
            var streams = wanted
            do throws(StoreError) {
                let references = try container.streamReferences()
                let first = max(wanted.lowerBound, context.registry.id(of: references[Int(header.firstStream)]))
                let last = min(wanted.upperBound, context.registry.id(of: references[Int(header.lastStream)]))
                if first <= last { streams = first...last }
            } catch {
                // Damage was noted by the container; without its streams it counts as having all.
            }
            let lower = max(source.bounds.lowerBound, header.minimumTime)
            let upper = min(source.bounds.upperBound - 1, max(header.minimumTime, header.maximumTime))
            return Place(
                source: source, times: lower...max(lower, upper), streams: streams, origin: (ObjectIdentifier(container), header.low, header.high))
        }
    }
}

extension ScanSource {
    /// The rows of a block that lie in some times, as a source of its own.
    fileprivate func part(in times: ClosedRange<Int64>, order: ScanOrder) -> ScanSource {
        let part = times.lowerBound..<times.upperBound.addingSaturating(1)
        return ScanSource(
            rows, in: bounds.clamped(to: part), lowerBound: max(lowerBound, RowKey.lowerBound(times: times, firstStream: .minimum, order: order)),
            upperBound: min(upperBound, RowKey.upperBound(times: times, lastStream: .maximum, order: order)), priority: priority)
    }
}

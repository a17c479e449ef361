import OrielTelemetry

/// A snapshot on its way into one request after the other.
struct MetricReading: Sendable {
    /// A series, by what it is called.
    struct Place: Sendable {
        var family = ""
        var labels: [UInt8] = []
    }

    let time: Timestamp
    private var families: [MetricSnapshot.Family]
    /// What comes next.
    private var family = 0
    private var series = 0

    /// - Parameter place: the series that comes first; those before it come last.
    init(_ snapshot: MetricSnapshot, from place: Place) {
        time = snapshot.time
        families = snapshot.families
        guard let start = families.firstIndex(where: { $0.name >= place.family }) else {
            skipEmpty()
            return
        }
        var (head, tail) = (families[start], families[start])
        let isSame = head.name == place.family
        let index = isSame ? head.series.firstIndex { $0.renderedLabels == place.labels } ?? 0 : 0
        head.series = Array(head.series[index...])
        tail.series = Array(tail.series[..<index])
        families = [head] + families[(start + 1)...] + families[..<start] + [tail]
        skipEmpty()
    }

    /// Whether all was taken.
    var isEmpty: Bool { family == families.count }

    /// The series that comes next.
    var place: Place {
        isEmpty ? Place() : Place(family: families[family].name, labels: families[family].series[series].renderedLabels)
    }

    /// What was not taken.
    var rest: [MetricSnapshot.Family] {
        guard !isEmpty else { return [] }
        var first = families[family]
        first.series.removeFirst(series)
        return [first] + families[(family + 1)...]
    }

    /// Takes as many series as a request of so many bytes has room for, and one at least.
    mutating func take(upTo limit: Int) -> [MetricSnapshot.Family] {
        var taken: [MetricSnapshot.Family] = []
        var bytes = 0
        while !isEmpty {
            var part = families[family]
            let first = series
            bytes += part.requestBytes
            while series < part.series.count {
                let size = part.series[series].requestBytes
                if bytes + size > limit, series > first || !taken.isEmpty { break }
                bytes += size
                series += 1
            }
            let isWhole = series == part.series.count
            if series > first {
                part.series = Array(part.series[first..<series])
                taken.append(part)
            }
            guard isWhole else { break }
            // Lets go of what lies in a request now.
            families[family].series = []
            series = 0
            skipEmpty()
        }
        return taken
    }

    private mutating func skipEmpty() {
        while family < families.count, families[family].series.isEmpty { family += 1 }
    }
}

extension MetricSnapshot.Family {
    /// Bytes that it takes in a request beside its series, about.
    fileprivate var requestBytes: Int { name.utf8.count + help.utf8.count + unit.utf8.count + 32 }
}

extension MetricSnapshot.Series {
    /// Bytes that it takes in a request, about and rather more.
    fileprivate var requestBytes: Int {
        // Times and values, and the tags and lengths around a name and a value, of which the text form has four.
        let frame = 64 + renderedLabels.count + 8 * labels.count
        return switch point {
        case .counter(_, let exemplar): frame + (exemplar == nil ? 0 : Self.exemplarBytes)
        case .gauge, .info: frame
        case .histogram(let histogram):
            frame + 8 * (histogram.counts.count + histogram.bounds.count) + Self.exemplarBytes * histogram.exemplars.count { $0 != nil }
        case .exponentialHistogram(let histogram):
            frame + Self.packedBytes(histogram.positiveCounts) + Self.packedBytes(histogram.negativeCounts) + Self.exemplarBytes * histogram.exemplars.count
        }
    }

    private static let exemplarBytes = 64

    /// Bytes of numbers in protobuf's variable form, seven bits each.
    private static func packedBytes(_ counts: [UInt64]) -> Int {
        counts.reduce(8) { $0 + max(UInt64.bitWidth - $1.leadingZeroBitCount + 6, 7) / 7 }
    }
}

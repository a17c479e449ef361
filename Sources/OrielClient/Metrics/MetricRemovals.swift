import OrielTelemetry
import Synchronization

/// What series held when they were taken back, until each push has told it: what was counted since the push before would be lost.
struct MetricRemovals: Sendable {
    struct Entry: Sendable {
        /// Grows with each entry.
        var number: UInt64
        let family: Family
        /// As they were, with the time of the removal.
        var last: MetricSnapshot.Series
    }

    private struct Reader {
        /// The last entry that it was given, and the last that it is done with.
        var given: UInt64
        var done: UInt64
    }

    /// The most entries; when there are more, the oldest go.
    private let limit: Int
    private var readers: [Int: Reader] = [:]
    private var readerCount = 0
    private var lastNumber: UInt64 = 0
    /// In the order of their numbers.
    private var entries: [Entry] = []

    init(limit: Int) {
        self.limit = limit
    }

    /// - Returns: whether an older entry went for it that somebody has not read.
    mutating func add(_ family: Family, _ series: Series, _ last: MetricSnapshot.Series) -> Bool {
        guard !readers.isEmpty else { return false }
        lastNumber += 1
        series.removal.store(lastNumber, ordering: .relaxed)
        var entry = Entry(number: lastNumber, family: family, last: last)
        // Instruments that are made and taken back again and again under the same labels are one entry.
        let position = entries.lastIndex { $0.family === family && $0.last.renderedLabels == last.renderedLabels }
        if let position, mayChange(entries[position]), let sum = entries[position].last.point.sum(with: last.point) {
            entry.last.start = entries[position].last.start
            entry.last.origin = entries[position].last.origin
            entry.last.point = sum
            entries.remove(at: position)
        }
        entries.append(entry)
        guard entries.count > limit else { return false }
        entries.removeFirst()
        return true
    }

    /// Whether nobody has read an entry. Who has listed its series just now sees by the number of its removal whether the entry tells of it.
    private func mayChange(_ entry: Entry) -> Bool { readers.values.allSatisfy { $0.given < entry.number } }

    // MARK: Readers

    mutating func addReader() -> Int {
        readerCount += 1
        readers[readerCount] = Reader(given: lastNumber, done: lastNumber)
        return readerCount
    }

    mutating func removeReader(_ reader: Int) {
        readers[reader] = nil
        removeRead()
    }

    /// What a reader is not done with, and the number of the last of it. To be called after it has listed the series that are there: those whose removal has a number up to that are told
    /// of here.
    mutating func read(by reader: Int) -> (entries: ArraySlice<Entry>, last: UInt64) {
        readers[reader]?.given = lastNumber
        let done = readers[reader]?.done ?? lastNumber
        return (entries.drop { $0.number <= done }, lastNumber)
    }

    mutating func noteRead(by reader: Int, through number: UInt64) {
        guard let done = readers[reader]?.done else { return }
        readers[reader]?.done = max(done, number)
        removeRead()
    }

    private mutating func removeRead() {
        let oldest = readers.values.map(\.done).min() ?? lastNumber
        entries.removeAll { $0.number <= oldest }
    }
}

/// Reads a registry from time to time, each time what was taken back since, too. As long as it is there the registry keeps that.
final class MetricReader: Sendable {
    private let registry: MetricRegistry
    private let number: Int

    init(_ registry: MetricRegistry) {
        self.registry = registry
        number = registry.removals.withLock { $0.addReader() }
    }

    deinit {
        registry.removals.withLock { $0.removeReader(number) }
    }

    /// What all metrics hold now, and the number of the last removal that is in it.
    func snapshot() -> (snapshot: MetricSnapshot, lastRemoval: UInt64) { registry.snapshot(at: .now, reader: number) }

    /// To be called when what was read has arrived: it is not read again.
    func noteRead(through removal: UInt64) {
        registry.removals.withLock { $0.noteRead(by: number, through: removal) }
    }
}

extension MetricSnapshot.Point {
    /// What two series of the same labels that followed each other have counted together; `nil` where that is not worth the effort.
    fileprivate func sum(with other: MetricSnapshot.Point) -> MetricSnapshot.Point? {
        switch (self, other) {
        case (.counter(let value, let exemplar), .counter(let otherValue, let otherExemplar)):
            return .counter(value + otherValue, exemplar: otherExemplar ?? exemplar)
        case (.histogram(let histogram), .histogram(var sum)) where histogram.bounds == sum.bounds:
            for index in sum.counts.indices { sum.counts[index] &+= histogram.counts[index] }
            sum.sum += histogram.sum
            sum.exemplars = sum.exemplars.isEmpty ? histogram.exemplars : sum.exemplars
            return .histogram(sum)
        default: return nil
        }
    }
}

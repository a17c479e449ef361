import OrielStore
import OrielTelemetry

/// Turns points of delta temporality into absolute samples, in commit order: sums them per stream, with a zero sample at each new start and a staleness marker when a
/// stream falls silent. Used by the commit thread only.
///
/// A point that does not say when it began gets its zero sample a millisecond before its end: without one, `increase()` would not see the first point of a stream, which is
/// all that a function called once an hour ever sends.
///
/// The samples go into redo in place of the points, so that replay adds nothing twice: it only notes each stream's last sum.
struct DeltaSequencer {
    /// Where a stream of sums stands.
    struct Sum: Sendable {
        var value: Double
        /// The histogram's sum, when it is one.
        var histogram: NativeHistogram?
        /// The end of the last point, milliseconds.
        var end: Int64
        /// The time of the last sample that came of it; later than `end` when samples would else share a time.
        var stamp: Int64
        /// When it was last heard of, by the store's clock, milliseconds.
        var heard: Int64
    }

    private(set) var sums: [StreamReference: Sum] = [:]

    /// A stream that was silent for so long has ended, in milliseconds.
    static let silence: Int64 = 15 * 60_000
    /// Streams that are summed at a time; points of further ones start anew each time.
    static let limit = 4_000_000

    /// The absolute samples for some points; `rejected` counts points that overlap what is already summed.
    mutating func sequence(_ rows: DeltaRows, now: Timestamp) -> (batch: ColumnBatch, rejected: Int) {
        rows.batch.signal == .histograms ? sequenceHistograms(rows, now: now) : sequenceSamples(rows, now: now)
    }

    private mutating func sequenceSamples(_ rows: DeltaRows, now: Timestamp) -> (batch: ColumnBatch, rejected: Int) {
        var output = SampleBatch()
        var rejected = 0
        let values = SampleBatch(rows.batch)?.values ?? []
        for row in values.indices {
            let reference = rows.batch.streamIndexes[row]
            guard let step = advance(reference, start: rows.startTimes[row], end: rows.batch.times[row], now: now) else {
                rejected += 1
                continue
            }
            if let zero = step.zeroTime {
                output.append(reference, zero, 0)
            }
            let value = (sums[reference]?.value ?? 0) + values[row]
            sums[reference]?.value = value
            output.append(reference, step.stamp, value)
        }
        return (output.columnBatch, rejected)
    }

    private mutating func sequenceHistograms(_ rows: DeltaRows, now: Timestamp) -> (batch: ColumnBatch, rejected: Int) {
        var output = HistogramBatch()
        var rejected = 0
        guard let points = HistogramBatch(rows.batch) else { return (output.columnBatch, rows.batch.count) }
        for row in 0..<points.count {
            let reference = rows.batch.streamIndexes[row]
            guard let point = Result(catching: { try points.histogram(at: row) }).success,
                let step = advance(reference, start: rows.startTimes[row], end: points.times[row], now: now)
            else {
                rejected += 1
                continue
            }
            if let zero = step.zeroTime {
                var empty = point
                empty.count = 0
                empty.sum = 0
                empty.zeroCount = 0
                (empty.positiveSpans, empty.positiveBuckets, empty.negativeSpans, empty.negativeBuckets) = ([], [], [], [])
                output.append(empty, stream: Int(reference), time: zero)
            }
            var total = point
            if var sum = sums[reference]?.histogram, sum.add(point) {
                total = sum
            }
            total.counterResetHint = .unknown
            sums[reference]?.histogram = total
            output.append(total, stream: Int(reference), time: step.stamp)
        }
        return (output.columnBatch, rejected)
    }

    /// Moves a stream on to a point's end.
    ///
    /// - Returns: The time of the point's sample, and that of a zero sample before it when the stream begins; `nil` when the point overlaps the one before.
    ///   There is no zero sample before the first moment that a time can hold.
    private mutating func advance(_ reference: StreamReference, start: Int64, end: Int64, now: Timestamp) -> (stamp: Int64, zeroTime: Int64?)? {
        let heard = now.nanoseconds / 1_000_000
        if var sum = sums[reference] {
            guard start == 0 || start >= sum.end else { return nil }
            let (next, overflow) = sum.stamp.addingReportingOverflow(1)
            guard !overflow else { return nil }
            sum.stamp = max(next, end)
            sum.end = max(sum.end, end)
            sum.heard = heard
            sums[reference] = sum
            return (sum.stamp, nil)
        }
        if sums.count < DeltaSequencer.limit {
            sums[reference] = Sum(value: 0, histogram: nil, end: end, stamp: end, heard: heard)
        }
        if start != 0, start < end { return (end, start) }
        let (before, overflow) = end.subtractingReportingOverflow(1)
        return (end, overflow ? nil : before)
    }

    /// Ends the streams that were silent; returns the staleness markers, of samples and of histograms.
    mutating func expire(now: Timestamp) -> [ColumnBatch] {
        let bound = now.nanoseconds / 1_000_000 - DeltaSequencer.silence
        var samples = SampleBatch()
        var histograms = HistogramBatch()
        for (reference, sum) in sums where sum.heard < bound {
            sums[reference] = nil
            let (time, overflow) = sum.stamp.addingReportingOverflow(1)
            guard !overflow else { continue }
            if sum.histogram != nil {
                var marker = NativeHistogram()
                marker.sum = .staleMarker
                histograms.append(marker, stream: Int(reference), time: time)
            } else {
                samples.append(reference, time, .staleMarker)
            }
        }
        return [samples.columnBatch, histograms.columnBatch].filter { $0.count > 0 }
    }

    /// Goes on with references of another registry.
    mutating func translate(_ translation: inout StreamTranslation) {
        let references = Array(sums.keys)
        var translated: [StreamReference: Sum] = [:]
        translated.reserveCapacity(references.count)
        for (reference, other) in zip(references, translation.translate(references, isCounted: true)) { translated[other] = sums[reference] }
        sums = translated
    }

    // MARK: Recovery

    /// Notes the sums that a batch of absolute samples from redo left.
    mutating func replay(_ batch: ColumnBatch, now: Timestamp) {
        let heard = now.nanoseconds / 1_000_000
        if let samples = SampleBatch(batch) {
            for row in 0..<samples.count {
                let reference = samples.streamIndexes[row]
                if samples.values[row].isStaleMarker {
                    sums[reference] = nil
                } else {
                    sums[reference] = Sum(
                        value: samples.values[row], histogram: nil, end: samples.times[row], stamp: samples.times[row], heard: heard)
                }
            }
        } else if let histograms = HistogramBatch(batch) {
            for row in 0..<histograms.count {
                let reference = histograms.streamIndexes[row]
                if histograms.sums[row].isStaleMarker {
                    sums[reference] = nil
                } else if let histogram = Result(catching: { try histograms.histogram(at: row) }).success {
                    sums[reference] = Sum(value: 0, histogram: histogram, end: histograms.times[row], stamp: histograms.times[row], heard: heard)
                }
            }
        }
    }

    /// The sums as one blob with the ids of their streams and their labels, so that it stands by itself.
    func encode(_ registry: StreamRegistry) -> [UInt8] {
        var bytes: [UInt8] = [1]
        bytes.append(count: sums.count)
        for (reference, sum) in sums.sorted(by: { $0.key < $1.key }) {
            bytes.append(counted: registry.descriptor(of: reference).span)
            bytes.append(littleEndian: sum.value.bitPattern)
            bytes.append(zigzag: sum.end)
            bytes.append(zigzag: sum.stamp)
            bytes.append(zigzag: sum.heard)
            if let histogram = sum.histogram {
                bytes.append(1)
                bytes.append(littleEndian: histogram.count.bitPattern)
                bytes.append(littleEndian: histogram.sum.bitPattern)
                bytes.append(counted: histogram.encodedBuckets.span)
            } else {
                bytes.append(0)
            }
        }
        BlobChecksum.seal(&bytes)
        return bytes
    }

    init() {}

    /// Reads what `encode` wrote.
    init(_ blob: Span<UInt8>, registry: StreamRegistry) throws {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let version = try bytes.readByte(&offset)
        guard version == 1 else {
            throw ColumnError(.version(version), at: 0)
        }
        for _ in 0..<(try bytes.readCount(&offset, limit: bytes.count)) {
            let descriptor = bytes.extracting(try bytes.readCounted(&offset))
            let value = Double(bitPattern: try bytes.readLittleEndian(&offset, as: UInt64.self))
            let end = try bytes.readZigzag(&offset)
            let stamp = try bytes.readZigzag(&offset)
            let heard = try bytes.readZigzag(&offset)
            var histogram: NativeHistogram?
            if try bytes.readByte(&offset) == 1 {
                let count = Double(bitPattern: try bytes.readLittleEndian(&offset, as: UInt64.self))
                let sum = Double(bitPattern: try bytes.readLittleEndian(&offset, as: UInt64.self))
                var read = try NativeHistogram(encodedBuckets: bytes.extracting(try bytes.readCounted(&offset)))
                read.count = count
                read.sum = sum
                histogram = read
            }
            if let reference = registry.intern(descriptor, id: registry.secret.id(of: descriptor), isCounted: true) {
                sums[reference] = Sum(value: value, histogram: histogram, end: end, stamp: stamp, heard: heard)
            }
        }
    }
}

extension SampleBatch {
    fileprivate mutating func append(_ reference: StreamReference, _ time: Int64, _ value: Double) {
        streamIndexes.append(reference)
        times.append(time)
        values.append(value)
    }
}

extension Result {
    /// The value, when there is one.
    fileprivate var success: Success? {
        if case .success(let value) = self { value } else { nil }
    }
}

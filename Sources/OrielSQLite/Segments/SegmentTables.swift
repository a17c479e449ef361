import OrielCompression
import OrielStore
import OrielTelemetry

/// Several pages in one blob, each behind its length; the pages carry the checksums.
enum PageGroup {
    static func encode(_ pages: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        for page in pages { bytes.append(counted: page.span) }
        return bytes
    }

    /// Where the pages lie.
    static func decode(_ bytes: Span<UInt8>, count: Int) throws(ColumnError) -> [Range<Int>] {
        var offset = 0
        var ranges: [Range<Int>] = []
        for _ in 0..<count { ranges.append(try bytes.readCounted(&offset)) }
        guard offset == bytes.count else { throw ColumnError(.malformed("\(bytes.count - offset) bytes behind the last page"), at: offset) }
        return ranges
    }
}

/// In which blocks the traces of one page of ids are: a count, a section of how many blocks each has, a section of these blocks.
enum TraceBlockList {
    static func encode(counts: [Int64], blocks: [Int64], _ integers: inout IntegerEncoder) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(count: counts.count)
        integers.append(counts, to: &bytes)
        integers.append(blocks, to: &bytes)
        BlobChecksum.seal(&bytes)
        return bytes
    }

    /// The blocks of trace i of the page are `blocks[ends[i]..<ends[i + 1]]`.
    static func decode(_ blob: Span<UInt8>, blockCount: Int) throws(ColumnError) -> (ends: [Int], blocks: [Int]) {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let count = try bytes.readCount(&offset, limit: SegmentFormat.idsPerPage)
        var decoder = IntegerDecoder()
        let counts = try decoder.values(bytes, at: &offset, count: count)
        var ends = [0]
        ends.reserveCapacity(count + 1)
        for (index, count) in counts.enumerated() {
            guard count >= 0, count <= Int64(blockCount) else { throw ColumnError(.malformed("a trace in \(count) of \(blockCount) blocks"), at: offset) }
            ends.append(ends[index] + Int(count))
        }
        // A run of 128 block numbers takes three bytes at least.
        guard ends[count] <= max(SegmentFormat.idsPerPage, bytes.count * 64) else {
            throw ColumnError(.count(found: UInt64(ends[count]), limit: UInt64(bytes.count * 64)), at: offset)
        }
        let blocks = try decoder.values(bytes, at: &offset, count: ends[count])
        guard blocks.allSatisfy({ $0 >= 0 && $0 < Int64(blockCount) }) else { throw ColumnError(.malformed("a block that is not there"), at: offset) }
        return (ends, blocks.map { Int($0) })
    }
}

/// Metric families as a blob.
enum FamilyCoding {
    static func encode(_ families: [MetricFamily]) -> [UInt8] {
        var bytes: [UInt8] = [SegmentFormat.version]
        bytes.append(count: families.count)
        for family in families {
            bytes.append(family.kind.rawValue)
            for text in [family.name, family.unit, family.help] { bytes.append(counted: Array(text.utf8).span) }
        }
        BlobChecksum.seal(&bytes)
        return bytes
    }

    static func decode(_ blob: Span<UInt8>) throws(ColumnError) -> [MetricFamily] {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let version = try bytes.readByte(&offset)
        guard version == SegmentFormat.version else { throw ColumnError(.version(version), at: 0) }
        let count = try bytes.readCount(&offset, limit: bytes.count)
        var families: [MetricFamily] = []
        for _ in 0..<count {
            let kind = MetricFamily.Kind(rawValue: try bytes.readByte(&offset)) ?? .unknown
            let name = String(repairing: bytes.extracting(try bytes.readCounted(&offset)))
            let unit = String(repairing: bytes.extracting(try bytes.readCounted(&offset)))
            let help = String(repairing: bytes.extracting(try bytes.readCounted(&offset)))
            families.append(MetricFamily(name: name, kind: kind, unit: unit, help: help))
        }
        return families
    }
}

/// When traces begin and end, by ordinal. In nanoseconds since 1970.
struct TraceTimes: Sendable {
    var starts: [Int64] = []
    var ends: [Int64] = []

    init() {}

    /// Traces without spans so far.
    init(count: Int) {
        starts = Array(repeating: .max, count: count)
        ends = Array(repeating: .min, count: count)
    }

    /// Widens the time of a trace.
    mutating func add(_ start: Int64, _ end: Int64, to ordinal: Int) {
        starts[ordinal] = min(starts[ordinal], start)
        ends[ordinal] = max(ends[ordinal], end)
    }
}

/// The times of one page of traces: a page of starts, a page of ends.
enum TraceTimesCoding {
    static func encode(_ times: TraceTimes, _ range: Range<Int>, _ pages: inout PageEncoder) throws(CompressionError) -> [UInt8] {
        var blobs: [[UInt8]] = []
        for values in [times.starts, times.ends] {
            var page: [UInt8] = []
            try pages.append(integers: values.span.extracting(range), rows: .init(count: range.count), to: &page)
            blobs.append(page)
        }
        return PageGroup.encode(blobs)
    }

    /// Appends the times of `count` traces.
    static func decode(_ blob: Span<UInt8>, count: Int, _ decoder: inout PageDecoder, into times: inout TraceTimes) throws(ColumnError) {
        let ranges = try PageGroup.decode(blob, count: 2)
        let total = times.starts.count + count
        try decoder.open(blob.extracting(ranges[0]))
        try decoder.appendIntegers(to: &times.starts)
        try decoder.open(blob.extracting(ranges[1]))
        try decoder.appendIntegers(to: &times.ends)
        guard times.starts.count == total, times.ends.count == total else { throw ColumnError(.malformed("not a time for each of \(count) traces"), at: 0) }
    }
}

/// What the summaries of one page of traces say besides the times: pages of span and of error counts, and of texts (root service, root name, services).
enum SummaryCoding {
    private static let pageCount = 3

    static func encode(_ summaries: [TraceSummary], _ pages: inout PageEncoder) throws(CompressionError) -> [UInt8] {
        let columns: [[Int64]] = [summaries.map { Int64($0.spanCount) }, summaries.map { Int64($0.errorCount) }]
        var blobs: [[UInt8]] = []
        for column in columns {
            var page: [UInt8] = []
            try pages.append(integers: column.span, rows: .init(count: column.count), to: &page)
            blobs.append(page)
        }
        var texts = ByteColumn()
        for summary in summaries {
            var text: [UInt8] = []
            for part in [summary.rootService, summary.rootName] + summary.services { text.append(counted: Array(part.utf8).span) }
            texts.append(text.span)
        }
        var page: [UInt8] = []
        try pages.append(bytes: texts.bytes.span, start: 0, ends: texts.ends.span, rows: .init(count: texts.count), to: &page)
        blobs.append(page)
        return PageGroup.encode(blobs)
    }

    /// The summaries of some traces.
    ///
    /// - Parameters:
    ///   - ids: all of the page, with their times.
    ///   - wanted: indexes of `ids`.
    static func decode(
        _ blob: Span<UInt8>, ids: [TraceID], times: TraceTimes, _ wanted: some Sequence<Int>, _ decoder: inout PageDecoder
    ) throws(ColumnError) -> [TraceSummary] {
        let ranges = try PageGroup.decode(blob, count: pageCount)
        var columns: [[Int64]] = []
        for range in ranges.dropLast() {
            try decoder.open(blob.extracting(range))
            var values: [Int64] = []
            try decoder.appendIntegers(to: &values)
            columns.append(values)
        }
        try decoder.open(blob.extracting(ranges[pageCount - 1]))
        var bytes: [UInt8] = []
        var ends: [UInt32] = []
        try decoder.appendBytes(to: &bytes, ends: &ends)
        guard ends.count == ids.count, columns.allSatisfy({ $0.count == ids.count }) else {
            throw ColumnError(.malformed("\(ends.count) summaries of \(ids.count) traces"), at: 0)
        }
        var summaries: [TraceSummary] = []
        for index in wanted {
            let text = bytes.span.extracting(Int(index == 0 ? 0 : ends[index - 1])..<Int(ends[index]))
            var offset = 0
            let service = String(repairing: text.extracting(try text.readCounted(&offset)))
            let name = String(repairing: text.extracting(try text.readCounted(&offset)))
            var services: [String] = []
            while offset < text.count { services.append(String(repairing: text.extracting(try text.readCounted(&offset)))) }
            summaries.append(
                TraceSummary(
                    traceID: ids[index], rootService: service, rootName: name, start: times.starts[index], end: times.ends[index],
                    spanCount: Int(columns[0][index]), errorCount: Int(columns[1][index]), services: services))
        }
        return summaries
    }
}

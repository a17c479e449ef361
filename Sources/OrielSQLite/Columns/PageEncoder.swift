import OrielCompression
import OrielTelemetry

/// Encodes pages. One value serves one thread and keeps its scratch space and zstd context from page to page.
///
/// The values given to each call are those of the rows that have one, in order; `presence` says which rows these are.
struct PageEncoder: ~Copyable {
    /// Which of `rows` rows have a value; an empty bitmap means all.
    struct Rows {
        var count: Int
        var bitmap: [UInt64] = []
    }

    private var integers = IntegerEncoder()
    private var compressor: ZstdCompressor
    private var body: [UInt8] = []
    private var trial: [UInt8] = []
    private var compressed: [UInt8] = []
    private var mantissas: [Int64] = []
    private var exceptionRows: [Int64] = []
    private var exceptions: [UInt64] = []

    /// - Parameter level: zstd's level for bodies that shrink by it.
    init(level: Int) {
        compressor = ZstdCompressor(level: level)
    }

    /// Appends a page of integers, and is where ordinals, codes, booleans and times go too.
    mutating func append(integers values: Span<Int64>, rows: Rows, to output: inout [UInt8]) throws(CompressionError) {
        let presence = begin(rows, values: values.count)
        try appendSection(values)
        try finish(.integers, presence: presence, rows: rows.count, values: values.count, to: &output)
    }

    /// Appends a page of strings: value i lies in `bytes` between `ends[i - 1]` (or `start`) and `ends[i]`.
    mutating func append(
        bytes: Span<UInt8>, start: UInt32, ends: Span<UInt32>, rows: Rows, to output: inout [UInt8]
    ) throws(CompressionError) {
        let presence = begin(rows, values: ends.count)
        mantissas.removeAll(keepingCapacity: true)
        var previous = start
        for index in ends.indices {
            mantissas.append(Int64(ends[index] - previous))
            previous = ends[index]
        }
        let lengths = mantissas
        integers.append(lengths.span, to: &body)
        body.append(bytes, Int(start)..<Int(previous))
        try finish(.bytes, presence: presence, rows: rows.count, values: ends.count, to: &output)
    }

    /// Appends a page of distinct strings in ascending order of their bytes.
    mutating func append(dictionary values: ByteColumn, to output: inout [UInt8]) throws(CompressionError) {
        body.removeAll(keepingCapacity: true)
        let bytes = values.bytes.span
        var prefixes: [Int64] = []
        var suffixes: [Int64] = []
        prefixes.reserveCapacity(values.count)
        suffixes.reserveCapacity(values.count)
        var previous = 0..<0
        for index in 0..<values.count {
            let range = values.range(of: index)
            let limit = min(previous.count, range.count)
            var shared = 0
            while shared < limit, bytes[previous.lowerBound + shared] == bytes[range.lowerBound + shared] { shared += 1 }
            prefixes.append(Int64(shared))
            suffixes.append(Int64(range.count - shared))
            previous = range
        }
        integers.append(prefixes.span, to: &body)
        integers.append(suffixes.span, to: &body)
        for index in 0..<values.count {
            let range = values.range(of: index)
            body.append(bytes, (range.lowerBound + Int(prefixes[index]))..<range.upperBound)
        }
        try finish(.dictionary, presence: .all, rows: values.count, values: values.count, to: &output)
    }

    /// Appends a page of doubles. Every bit pattern comes back as it was.
    mutating func append(doubles values: Span<Double>, rows: Rows, to output: inout [UInt8]) throws(CompressionError) {
        let presence = begin(rows, values: values.count)
        if let exponent = DecimalDoubles.exponent(for: values),
            DecimalDoubles.encode(values, exponent: exponent, mantissas: &mantissas, exceptionRows: &exceptionRows, exceptions: &exceptions)
        {
            body.append(UInt8(exponent))
            body.append(count: exceptions.count)
            if !exceptions.isEmpty {
                let rows = exceptionRows
                integers.append(rows.span, to: &body)
                for bits in exceptions { body.append(littleEndian: bits) }
            }
            let decimals = mantissas
            try appendSection(decimals.span)
            try finish(.decimals, presence: presence, rows: rows.count, values: values.count, to: &output)
            return
        }
        let count = values.count
        for plane in 0..<8 {
            let shift = UInt64(plane * 8)
            body.append(addingCapacity: count) { bytes in
                for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: values[index].bitPattern >> shift)) }
            }
        }
        try finish(.shuffledDoubles, presence: presence, rows: rows.count, values: count, to: &output)
    }

    /// Appends a page of 8-byte ids, raw: they are random, so nothing smaller is tried.
    mutating func append(identifiers values: Span<UInt64>, rows: Rows, to output: inout [UInt8]) throws(CompressionError) {
        let presence = begin(rows, values: values.count)
        body.reserveCapacity(body.count + values.count * 8)
        for index in values.indices { body.append(littleEndian: values[index]) }
        try finish(.identifiers, presence: presence, rows: rows.count, values: values.count, compress: false, to: &output)
    }

    /// Appends a page of 16-byte ids, raw.
    mutating func append(wideIdentifiers values: Span<TraceID>, to output: inout [UInt8]) throws(CompressionError) {
        body.removeAll(keepingCapacity: true)
        body.reserveCapacity(values.count * 16)
        for index in values.indices {
            body.append(littleEndian: values[index].high)
            body.append(littleEndian: values[index].low)
        }
        try finish(.wideIdentifiers, presence: .all, rows: values.count, values: values.count, compress: false, to: &output)
    }

    private mutating func begin(_ rows: Rows, values: Int) -> Presence {
        precondition(rows.count <= Page.maximumRows && values <= rows.count)
        body.removeAll(keepingCapacity: true)
        if rows.bitmap.isEmpty {
            precondition(values == rows.count)
            return .all
        }
        return Presence.append(rows.bitmap.span, rows: rows.count, present: values, encoder: &integers, to: &body)
    }

    /// Appends `values` as packed groups, or as byte planes where a compressed sample says that zstd makes these smaller.
    private mutating func appendSection(_ values: Span<Int64>) throws(CompressionError) {
        let start = body.count
        integers.append(values, to: &body)
        let packed = body.count - start
        // Below five bits a value the planes, of eight bits each, seldom win and the trial is not worth its time.
        guard values.count >= 64, packed * 8 >= values.count * 5 else { return }
        let sample = values.extracting(0..<min(values.count, 512))
        trial.removeAll(keepingCapacity: true)
        compressed.removeAll(keepingCapacity: true)
        integers.appendPlanes(sample, to: &trial)
        // The span borrows a second reference to the array, so that the other stored properties stay free to change.
        let planes = trial
        let estimate = try compressor.compress(planes.span, appendingTo: &compressed)
        guard estimate * values.count < packed * sample.count * 9 / 10 else { return }
        body.removeSubrange(start...)
        integers.appendPlanes(values, to: &body)
    }

    private mutating func finish(
        _ codec: PageCodec, presence: Presence, rows: Int, values: Int, compress: Bool = true, to output: inout [UInt8]
    ) throws(CompressionError) {
        precondition(body.count <= Page.maximumBytes)
        let start = output.count
        var wrapped = false
        if compress, body.count >= 48 {
            compressed.removeAll(keepingCapacity: true)
            let body = self.body
            let size = try compressor.compress(body.span, appendingTo: &compressed)
            wrapped = size + 3 <= body.count - body.count / 10
        }
        output.append(Page.version)
        output.append(codec.rawValue | presence.rawValue << 4 | (wrapped ? Page.zstdFlag : 0))
        output.append(count: rows)
        if presence != .all { output.append(count: values) }
        if wrapped {
            output.append(count: body.count)
            output.append(compressed.span)
        } else {
            output.append(body.span)
        }
        let checksum = CRC32C.checksum(output.span.extracting(start..<output.count))
        output.append(littleEndian: checksum)
    }
}

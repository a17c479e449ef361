import OrielStore
import OrielTelemetry

@testable import OrielSQLite

/// Random commits of one signal, as a builder holds them.
struct RandomRows {
    let signal: Signal
    let registry = StreamRegistry(secret: StreamSecret(high: 1, low: 2))
    private(set) var random: Seeded
    private var references: [StreamReference] = []
    private var nextOrd: UInt64 = 1
    private var nextCommit: UInt32 = 1
    private var traces: [TraceID] = []
    /// How many different attribute keys there are.
    var keyCount = 12
    /// Times lie within this many units from `start`.
    var span: Int64
    var start: Int64

    init(_ signal: Signal, seed: UInt64, streams: Int = 7) {
        self.signal = signal
        random = Seeded(seed)
        start = 1_700_000_000_000_000_000 / signal.nanosecondsPerTimeUnit
        span = Slot.length(of: signal) * 2
        for index in 0..<streams {
            let descriptor: StreamDescriptor =
                signal.isMetric
                ? .series([Label("__name__", "requests_total"), Label("instance", "host-\(index)"), Label("job", "shop")])
                : .scope(
                    Resource(attributes: [Attribute("service.name", .string("service-\(index % 3)")), Attribute("pod", .int(Int64(index)))]),
                    InstrumentationScope(name: "scope"))
            let bytes = descriptor.encoded
            if let reference = registry.intern(bytes.span, id: registry.secret.id(of: bytes.span)) { references.append(reference) }
        }
        traces = (0..<40).map { _ in TraceID(high: random.next(), low: random.next()) }
    }

    /// The next commit's rows.
    mutating func chunk(rows: Int) -> BuilderChunk {
        var batch = ColumnBatch(signal: signal)
        var columns = signal.columns.map { Column(kind: $0.kind) }
        for _ in 0..<rows {
            batch.streamIndexes.append(references[random.below(references.count)])
            let step = signal.isMetric ? 15_000 : Int64(1)
            batch.times.append(start + Int64.random(in: 0..<span, using: &random) / step * step)
            if signal.hasOrds {
                batch.ords.append(nextOrd)
                nextOrd += 1
            }
            for (position, id) in signal.columns.enumerated() { append(id, to: &columns[position]) }
            if signal.hasAttributes { appendAttributes(to: &batch) }
        }
        batch.columns = columns
        defer { nextCommit += 1 }
        return BuilderChunk(sequence: CommitSequence(start: 1, commit: nextCommit), batch: batch)
    }

    private mutating func append(_ id: ColumnID, to column: inout Column) {
        switch consume column {
        case .integers(var values):
            let choices: [Int64] =
                id == .duration ? [Int64(bitPattern: random.next()) >> 30, 0, -5, .max] : id == .flags ? [0] : [0, 1, 2, 17, Int64(random.below(5000))]
            values.append(choices[random.below(choices.count)])
            column = .integers(values)
        case .doubles(var values):
            values.append([0, 1.5, Double(random.below(10_000)) / 100, .staleMarker, .nan, -0.0, .infinity][random.below(7)])
            column = .doubles(values)
        case .identifiers(var values):
            values.append(random.chance(30) ? 0 : random.next())
            column = .identifiers(values)
        case .traceIDs(var values):
            values.append(random.chance(20) ? .zero : traces[random.below(traces.count)])
            column = .traceIDs(values)
        case .bytes(var values):
            switch id {
            case .name, .severityText: values.append("operation-\(random.below(9))")
            case .body: values.append("user \(random.next()) paid \(random.below(1000)) for order \(random.below(50))")
            case .traceState: values.appendEmpty()
            default: values.append(String(repeating: "x", count: random.chance(70) ? 0 : random.below(30)))
            }
            column = .bytes(values)
        case .absent: column = .absent
        }
    }

    private mutating func appendAttributes(to batch: inout ColumnBatch) {
        for _ in 0..<random.below(6) {
            let key = random.below(keyCount)
            let value: AttributeValue =
                switch (key + (random.chance(5) ? 1 : 0)) % 8 {
                case 0: .string("GET /\(random.below(6))")
                case 1: .int(Int64(random.below(600)))
                case 2: .bool(random.chance(50))
                case 3: .double(Double(random.below(100)) / 4)
                case 4: .bytes([UInt8(random.below(256))])
                case 5: .array([.int(1), .string("two")])
                case 6: .map([Attribute("inner", .int(Int64(random.below(3))))])
                default: .empty
                }
            batch.attributes?.append("key.\(key)", value)
        }
        batch.attributes?.finishRow()
    }
}

/// A row as text, every bit of it: equal rows have equal texts.
///
/// Texts are ASCII, so that equal ones have equal bytes, and are put together column by column from descriptions without interpolation: in debug builds printing rows is
/// most of what some tests do.
enum RowText {
    static func texts(_ batch: ColumnBatch, _ registry: StreamRegistry) -> [String] {
        var streams: [UInt32: String] = [:]
        let streamIndexes = batch.streamIndexes
        let times = batch.times
        let ords = batch.ords
        var texts: [String] = []
        texts.reserveCapacity(times.count)
        var row = 0
        while row < times.count {
            let stream: String
            if let known = streams[streamIndexes[row]] {
                stream = known
            } else {
                stream = "\(registry.id(of: streamIndexes[row])) "
                streams[streamIndexes[row]] = stream
            }
            texts.append(stream + times[row].description + " " + (ords.isEmpty ? "0" : ords[row].description))
            row += 1
        }
        for column in batch.columns { append(column, to: &texts) }
        if let attributes = batch.attributes {
            row = 0
            while row < texts.count {
                texts[row] += attributes.attributes(of: row).map { describe(Array($0.key.utf8)) + "=" + describe($0.value) }.sorted().joined(separator: ", ")
                row += 1
            }
        }
        return texts
    }

    private static func append(_ column: Column, to texts: inout [String]) {
        var row = 0
        while row < texts.count {
            switch column {
            case .absent: texts[row] += " -"
            case .integers(let values): texts[row] += " " + values[row].description
            case .doubles(let values): texts[row] += " " + values[row].bitPattern.description
            case .identifiers(let values): texts[row] += " " + values[row].description
            case .traceIDs(let values): texts[row] += " " + text(of: values[row])
            case .bytes(let values): texts[row] += describe(values[row])
            }
            row += 1
        }
    }

    /// How a row's text has a trace id.
    static func text(of id: TraceID) -> String { id.high.description + "-" + id.low.description }

    private static func describe(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        // Of characters that are not ASCII, UTF-8 takes more bytes than UTF-16 takes units.
        if text.utf16.count == text.utf8.count { return " '" + text + "'" }
        return " <" + bytes.map(\.description).joined(separator: ",") + ">"
    }

    private static func describe(_ value: AttributeValue) -> String {
        switch value {
        case .string(let text): "string" + describe(Array(text.utf8))
        case .int(let number): "int " + number.description
        case .bool(let flag): flag ? "true" : "false"
        case .double(let number): "double " + number.bitPattern.description
        case .bytes(let bytes): "bytes" + describe(bytes)
        case .array(let elements): "[" + elements.map(describe).joined(separator: ", ") + "]"
        case .map(let attributes): "{" + attributes.map { describe(Array($0.key.utf8)) + "=" + describe($0.value) }.joined(separator: ", ") + "}"
        case .empty: "empty"
        }
    }

    /// What the rows of some chunks must be after sorting and dropping replaced samples.
    static func expected(_ chunks: [BuilderChunk], _ registry: StreamRegistry) -> [String] {
        struct Item {
            var slot: Int64
            var stream: StreamID
            var time: Int64
            var ord: UInt64
            var text: String
        }
        var items: [Item] = []
        for chunk in chunks {
            let texts = texts(chunk.batch, registry)
            for row in 0..<chunk.batch.count {
                let time = chunk.batch.times[row]
                items.append(
                    Item(
                        slot: Slot(time: time, signal: chunk.batch.signal).number, stream: registry.id(of: chunk.batch.streamIndexes[row]), time: time,
                        ord: chunk.batch.ords.isEmpty ? 0 : chunk.batch.ords[row], text: texts[row]))
            }
        }
        if let signal = chunks.first?.batch.signal, !signal.hasOrds {
            struct Place: Hashable {
                var stream: StreamID
                var time: Int64
            }
            var latest: [Place: Item] = [:]
            for item in items { latest[Place(stream: item.stream, time: item.time)] = item }
            items = Array(latest.values)
        }
        items.sort { ($0.slot, $0.stream.high, $0.stream.low, $0.time, $0.ord) < ($1.slot, $1.stream.high, $1.stream.low, $1.time, $1.ord) }
        return items.map(\.text)
    }
}

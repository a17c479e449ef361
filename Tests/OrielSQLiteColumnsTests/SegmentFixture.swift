import OrielStore
import OrielTelemetry

@testable import OrielSQLite

/// A data folder with segments of random rows.
struct SegmentFixture {
    let folder: TemporaryFolder
    let fileSystem = SQLiteFileSystem(POSIXFileLayer())
    let store = StoreIdentity(high: 7, low: 8, secret: StreamSecret(high: 1, low: 2))
    let registry: StreamRegistry
    let signal: Signal

    init(_ rows: RandomRows) throws {
        folder = try TemporaryFolder()
        registry = rows.registry
        signal = rows.signal
    }

    /// Seals each group of commits and flushes all to one file.
    func flush(_ groups: [[BuilderChunk]], fileID: UInt64, limits: BlockLimits? = nil) throws -> Segment {
        let runs = try groups.compactMap { try SealedRun.seal($0, signal: signal, registry: registry, limits: limits) }
        let low = runs.map(\.low).min() ?? .zero
        let high = runs.map(\.high).max() ?? .zero
        let days = Set(runs.flatMap { $0.pieces.map(\.day) }).sorted()
        let description = SegmentDescription(
            fileID: fileID, signal: signal, level: 0, pieces: days.map { Piece(day: $0, low: low, high: high) }, inputs: [], rowCount: 0,
            minimumTime: 0, maximumTime: 0, byteCount: 0)
        let families = signal.isMetric ? [MetricFamily(name: "requests", kind: .counter, unit: "1", help: "How many.")] : []
        let written = try SegmentWriter.flush(
            runs, description, store: store, families: families, registry: registry, fileSystem: fileSystem, folder: folder.path)
        return try open(written)
    }

    func open(_ description: SegmentDescription) throws -> Segment {
        try Segment.open(description, fileSystem: fileSystem, folder: folder.path, registry: registry, cache: SegmentCache(byteLimit: 1 << 20))
    }

    /// All rows, block by block.
    func texts(_ container: any BlockContainer) throws -> [String] {
        var texts: [String] = []
        for block in container.blocks { texts += RowText.texts(try container.read(block: block.index, rows: nil, projection: .everything), registry) }
        return texts
    }
}

import OrielStore
import OrielTelemetry

/// Where the commit side reaches segment files: writing, opening, checking.
enum SegmentFiles {
    /// A live file with its open container.
    struct Opened: Sendable {
        var description: SegmentDescription
        var container: any BlockContainer
    }

    /// Writes sealed runs into the level-0 file that the manifest has entered.
    static func flush(_ runs: [SealedRun], _ description: SegmentDescription, core: StoreCore) throws(StoreError) -> SegmentDescription {
        let families = description.signal.isMetric ? try core.families.families() : []
        return try SegmentWriter.flush(
            runs, description, store: core.identity, families: families, registry: runs.first?.registry ?? core.registry, fileSystem: core.fileSystem,
            folder: core.folder)
    }

    static func open(_ description: SegmentDescription, core: StoreCore) throws(StoreError) -> Segment {
        try Segment.open(
            description, fileSystem: core.fileSystem, folder: core.folder, registry: core.registry, damageReport: core.damage)
    }

    /// What the file at `path` below the folder says about itself; `nil` when it is damaged or of another store.
    ///
    /// - Throws: When it was written by a newer version.
    static func description(_ path: String, core: StoreCore) throws(StoreError) -> SegmentDescription? {
        guard let header = try header(core.folder + "/" + path, fileSystem: core.fileSystem) else { return nil }
        return header.storeHigh == core.identity.high && header.storeLow == core.identity.low ? header.description : nil
    }

    /// The header of the file at `path`, of whatever store; `nil` when it is damaged.
    ///
    /// - Throws: When it was written by a newer version.
    static func header(_ path: String, fileSystem: SQLiteFileSystem) throws(StoreError) -> SegmentHeader? {
        do {
            return try Segment.readHeader(path: path, fileSystem: fileSystem)
        } catch {
            if case .newerFormat = error {
                throw error
            }
            return nil
        }
    }

    /// The metric families that a file knows.
    static func families(_ description: SegmentDescription, core: StoreCore) throws(StoreError) -> [MetricFamily] {
        try Segment.open(description, fileSystem: core.fileSystem, folder: core.folder, registry: core.registry).families()
    }

    /// Whether every blob of a file is as it was written.
    static func isWhole(_ description: SegmentDescription, core: StoreCore) -> Bool {
        do {
            // Whether the file stays is not known yet, so its damage is not reported.
            try Segment.open(description, fileSystem: core.fileSystem, folder: core.folder, registry: core.registry).verify()
            return true
        } catch {
            return false
        }
    }

    /// Bytes of a live file.
    static func byteCount(_ container: any BlockContainer) -> Int {
        (container as? Segment)?.description.byteCount ?? 0
    }
}

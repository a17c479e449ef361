import OrielStore
import OrielTelemetry

/// A damaged file that the merge thread writes anew from what is readable of it.
struct SalvageJob: Sendable {
    struct Outcome: Sendable {
        var file: Result<SegmentFiles.Opened, any Error>
        /// The new file as the manifest has entered it.
        var entered: [SegmentDescription] = []
        var losses: SalvageLosses
        var remade: [String] = []
        /// Where the damaged file is kept.
        var kept = ""
    }

    /// The damaged file.
    var description: SegmentDescription
    /// `nil` for a file that cannot be opened.
    var container: (any BlockContainer)?
    var pacer: MergePacer

    func cancel() { pacer.cancel() }

    /// Keeps the damaged file aside, writes the new one, opens and checks it.
    ///
    /// The damaged file has its second name before the new one gets its first: whatever unlinks it from then on, nothing is lost of it.
    func run(_ core: StoreCore) -> Outcome {
        var outcome = Outcome(file: .failure(StoreError.cancelled), losses: SalvageLosses(signal: description.signal))
        do {
            let description = description
            outcome.entered = try core.perform { committer in
                try committer.enterWriting { first in
                    var entered = description
                    entered.fileID = first
                    entered.inputs = [description.fileID]
                    entered.rowCount = 0
                    entered.minimumTime = 0
                    entered.maximumTime = 0
                    entered.byteCount = 0
                    return [entered]
                }
            }
            core.crashPoints.reach(.segmentWriting)
            outcome.kept = try UnknownFiles.keep(core.folder + "/" + description.path, core.folder, files: core.files) { _ in try pacer.check() }
            core.crashPoints.reach(.salvageKept)
            let result = try withReadableFile(core) { file throws(StoreError) in
                try SalvageRun.run(file, entered: outcome.entered[0], core: core, pacer: pacer)
            }
            outcome.losses = result.losses
            outcome.remade = result.remade
            let segment = try SegmentFiles.open(result.description, core: core)
            try segment.verify()
            outcome.file = .success(SegmentFiles.Opened(description: result.description, container: segment))
        } catch {
            outcome.file = .failure(error)
        }
        return outcome
    }

    /// Opens the file for `body`: if SQLite cannot, or would not find the tables, then a copy of it with a new first page, which is thrown away afterwards.
    private func withReadableFile<Value>(_ core: StoreCore, _ body: (SalvageFile) throws(StoreError) -> Value) throws -> Value {
        let path = core.folder + "/" + description.path
        // A start of the store unlinks what ends like this.
        let copy = path + ".salvage.seg.tmp"
        let firstPage = try SegmentRepair.firstPage(description, beside: copy, fileSystem: core.fileSystem)
        var file: SalvageFile?
        do throws(StoreError) {
            if SegmentRepair.hasTables(path, like: firstPage, core.files) { file = try SalvageFile(description, path: path, fileSystem: core.fileSystem) }
        } catch {
            guard error.isDamage else { throw error }
        }
        if let file { return try body(file) }
        if try core.files.exists(copy) { try core.files.unlink(copy) }
        defer { discard(copy, core) }
        try SegmentRepair.copy(path, to: copy, description, firstPage, core.files)
        return try body(SalvageFile(description, path: copy, fileSystem: core.fileSystem))
    }

    private func discard(_ copy: String, _ core: StoreCore) {
        do throws(FileError) {
            try core.files.unlink(copy)
        } catch {
            // It stays until a start of the store unlinks it.
            if !error.isMissing { core.counters.noteMaintenanceFailure(error) }
        }
    }
}

/// Makes a copy of a segment file that SQLite opens, whatever has become of its first page and its length.
enum SegmentRepair {
    /// Bytes that are read at a time.
    private static let portion = 1 << 20

    /// Bytes at the beginning of the first page that differ from file to file (https://www.sqlite.org/fileformat2.html#the_database_header).
    private static let headerBytes = 100

    /// Whether the first page of a file says that there are the same tables as another one says.
    static func hasTables(_ path: String, like firstPage: [UInt8], _ files: any FileLayer) -> Bool {
        do throws(FileError) {
            return try files.contents(path, limit: firstPage.count).dropFirst(headerBytes) == firstPage.dropFirst(headerBytes)
        } catch {
            // What does not read says nothing.
            return false
        }
    }

    /// Copies a file as far as it reads: what does not read, or is cut off, is zeros in the copy. The first page, which only says which tables there are, is that of
    /// every segment file of the signal.
    static func copy(_ path: String, to copy: String, _ description: SegmentDescription, _ firstPage: [UInt8], _ files: any FileLayer) throws(FileError) {
        let source = try files.open(path, .readOnly)
        defer { files.closeAfterFailure(source) }
        let target = try files.open(copy, .createNew)
        do throws(FileError) {
            let pageSize = firstPage.count
            var offset: Int64 = 0
            let size = Int64(description.byteCount)
            try files.truncate(target, to: size)
            while offset < size {
                let count = try copyPages(source, target, at: offset, count: Int(min(Int64(portion), size - offset)), pageSize, files)
                offset += Int64(count)
            }
            try files.write(target, at: 0, firstPage.span)
        } catch {
            files.closeAfterFailure(target)
            throw error
        }
        try files.close(target)
    }

    /// Copies `count` bytes; where they do not read, page by page.
    ///
    /// - Returns: `count`.
    private static func copyPages(_ source: OpenFile, _ target: OpenFile, at offset: Int64, count: Int, _ pageSize: Int, _ files: any FileLayer)
        throws(FileError) -> Int
    {
        var buffer = [UInt8](repeating: 0, count: count)
        var read = 0
        do throws(FileError) {
            var span = buffer.mutableSpan
            read = try files.read(source, at: offset, into: &span)
        } catch {
            guard count > pageSize else { return count }
            for start in stride(from: 0, to: count, by: pageSize) {
                _ = try copyPages(source, target, at: offset + Int64(start), count: min(pageSize, count - start), pageSize, files)
            }
            return count
        }
        if read > 0 { try files.write(target, at: offset, buffer.span.extracting(first: read)) }
        return count
    }

    /// The first page of an empty segment file, with the size of the damaged one.
    static func firstPage(_ description: SegmentDescription, beside copy: String, fileSystem: SQLiteFileSystem) throws -> [UInt8] {
        let files = fileSystem.layer
        let pageSize = SegmentFormat.pageSize(of: description.signal)
        let model = copy + ".model.seg.tmp"
        if try files.exists(model) { try files.unlink(model) }
        let connection = try Connection(model, .create, fileSystem: fileSystem)
        try connection.pragma("page_size", String(pageSize))
        try connection.pragma("journal_mode", "OFF")
        try connection.execute("BEGIN;" + SegmentFormat.schema + "COMMIT;")
        try connection.close()
        var page = Array(try files.contents(model, limit: 1 << 20).prefix(pageSize))
        try files.unlink(model)
        // How many pages there are, big-endian (https://www.sqlite.org/fileformat2.html#in_header_database_size).
        let count = UInt32(clamping: description.byteCount / pageSize)
        for (index, shift) in [24, 16, 8, 0].enumerated() { page[28 + index] = UInt8(truncatingIfNeeded: count >> UInt32(shift)) }
        return page
    }
}

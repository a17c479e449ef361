import OrielStore
import OrielTelemetry

/// Writes one backup, on a thread of its own while the store goes on.
///
/// Segment files never change, so they are linked or copied one after another while the snapshot that names them keeps them from being unlinked. hot.db is copied
/// between two checkpoints: commits go to its log meanwhile, and the database alone is the store as of the first checkpoint.
struct BackupRun {
    let core: StoreCore
    let target: String
    let progress: @Sendable (BackupProgress) -> Void

    /// The first line of a backup folder's lock, by which an unfinished first backup is known.
    static let lockName = "LOCK"
    private static let statePrefix = "state-"
    private static let attempts = 3

    /// The store as it is copied.
    private struct Capture: Sendable {
        var hotPath: String
        var hotName: String
        var checkpoint: Int
        /// Keeps the live files' containers, and so the files.
        var state: PublishedState
        var live: [SegmentDescription]
        var taken: Timestamp
    }

    func run() throws -> BackupReport {
        let files = core.files
        guard target != core.folder, !target.hasPrefix(core.folder + "/"), !core.folder.hasPrefix(target + "/") else {
            throw StoreError.unusable(path: target, reason: "a backup must lie outside the data folder \(core.folder), and not around it")
        }
        try prepareFolder()
        let lock = try takeLock()
        defer { files.closeAfterFailure(lock) }
        let earlier = try earlierManifest()
        let generation = try nextGeneration(earlier)
        let stateFolder = "\(target)/\(Self.statePrefix)\(generation)"
        try files.ensureDirectory(stateFolder)

        // app.db first: what it holds that hot.db has too is then in the later copy of hot.db.
        let appPath = stateFolder + "/app.db"
        let pins = try copyAppDatabase(to: appPath)
        let (capture, hotSum) = try copyHot(into: stateFolder)

        var manifest = BackupManifest(
            store: storeName, generation: generation, taken: capture.taken, sequence: capture.state.sequence.rawValue)
        var report = BackupReport(taken: capture.taken, sequence: capture.state.sequence)
        let appSum = try files.sum(appPath, pause: pause)
        for (name, sum) in [("app.db", appSum), (capture.hotName, hotSum)] {
            manifest.files.append(
                .init(checksum: sum.checksum, byteCount: sum.byteCount, path: "\(Self.statePrefix)\(generation)/\(name)", restoredPath: name))
            report.copiedFiles += 1
            report.copiedBytes += sum.byteCount
        }
        guard try files.sum("\(stateFolder)/\(capture.hotName)", pause: pause) == hotSum else {
            throw StoreError.unusable(path: stateFolder, reason: "the copy of hot.db reads back as something else")
        }
        try files.synchronizeDirectory(stateFolder)
        try copySegments(capture.live + pins.files, earlier, &manifest, &report)
        withExtendedLifetime((capture.state, pins.state)) {}

        report.files = manifest.files.count
        report.bytes = manifest.byteCount
        report.damagedFiles = Set(core.damage.entries.map(\.path)).sorted()
        core.crashPoints.reach(.backupCopied)
        try files.replace(target + "/" + BackupManifest.name, with: manifest.encoded)
        core.crashPoints.reach(.backupComplete)
        do {
            try prune(manifest)
        } catch {
            report.warnings.append("files of an earlier backup are left: \(error)")
        }
        return report
    }

    private var storeName: String { core.identity.high.hexadecimal + core.identity.low.hexadecimal }

    /// Ends the work when the store is being closed.
    private func pause(_ bytes: Int64) throws {
        if core.backups.isStopping { throw StoreError.closed }
    }

    // MARK: The folder

    private func prepareFolder() throws {
        let files = core.files
        guard let status = try files.status(target) else {
            try makeFolder(target)
            return
        }
        guard status.isDirectory else { throw StoreError.unusable(path: target, reason: "it is no folder") }
        let names = try files.list(target)
        guard names.isEmpty || names.contains(BackupManifest.name) || names.allSatisfy({ isOurs($0) }) else {
            throw StoreError.unusable(path: target, reason: "it is neither empty nor a backup; it has \(names.prefix(3).joined(separator: ", "))")
        }
    }

    /// Whether an unfinished first backup leaves a file of this name.
    private func isOurs(_ name: String) -> Bool {
        name == Self.lockName || name == "data" || name.hasPrefix(Self.statePrefix) || name == BackupManifest.name + ".tmp"
    }

    private func makeFolder(_ path: String) throws(FileError) {
        guard path != "/", try !core.files.exists(path) else { return }
        try makeFolder(path.parentDirectory)
        try core.files.ensureDirectory(path)
    }

    private func takeLock() throws -> OpenFile {
        let file = try core.files.open(target + "/" + Self.lockName, .create)
        do throws(FileError) {
            try core.files.lock(file)
        } catch {
            core.files.closeAfterFailure(file)
            if error.isLocked { throw StoreError.unusable(path: target, reason: "another backup into it, or a restore from it, is running") }
            throw error
        }
        return file
    }

    /// What the folder holds; a manifest that does not read makes everything be copied anew.
    private func earlierManifest() throws -> BackupManifest? {
        let earlier: BackupManifest?
        do {
            earlier = try BackupManifest.read(target, files: core.files)
        } catch is BackupManifest.Malformed {
            return nil
        }
        if let earlier, earlier.store != storeName {
            throw StoreError.unusable(path: target, reason: "it holds a backup of another store")
        }
        return earlier
    }

    private func nextGeneration(_ earlier: BackupManifest?) throws(FileError) -> Int {
        let found = try core.files.list(target).compactMap { name in
            name.hasPrefix(Self.statePrefix) ? Int(name.dropFirst(Self.statePrefix.count)) : nil
        }
        return max(found.max() ?? 0, earlier?.generation ?? 0) + 1
    }

    // MARK: The databases

    /// - Returns: The files of pins that the copy names, and what keeps them.
    private func copyAppDatabase(to path: String) throws -> (files: [SegmentDescription], state: PublishedState) {
        let pins = try core.withAppDatabase { connection in
            let vacuum = try connection.prepare("VACUUM INTO ?")
            try vacuum.bind(1, path)
            try vacuum.run()
            // Changes of pins are published before app.db is let go.
            return (try AppDatabase.pinFiles(connection).filter { $0.state == .live }.compactMap(\.description), core.state)
        }
        try core.files.synchronize(path: path)
        return pins
    }

    private func copyHot(into folder: String) throws -> (Capture, FileSum) {
        for _ in 0..<Self.attempts {
            let capture = try core.perform { committer in
                let checkpoint = try committer.beginCopy()
                do {
                    return Capture(
                        hotPath: committer.hot.path, hotName: committer.hot.path.lastPathComponent, checkpoint: checkpoint, state: committer.core.state,
                        live: try committer.hot.segments().filter { $0.state == .live }.map(\.description), taken: .now)
                } catch {
                    _ = committer.endCopy()
                    throw error
                }
            }
            let copied = Result { try core.files.copySummed(capture.hotPath, to: folder + "/" + capture.hotName, pause: pause) }
            let checkpoint = try core.perform { committer in committer.endCopy() }
            let sum = try copied.get()
            if checkpoint == capture.checkpoint { return (capture, sum) }
        }
        throw StoreError.unusable(path: target, reason: "hot.db is written faster than it can be copied there; try again when less comes in")
    }

    // MARK: Segment files

    private func copySegments(
        _ live: [SegmentDescription], _ earlier: BackupManifest?, _ manifest: inout BackupManifest, _ report: inout BackupReport
    ) throws {
        let known = Dictionary((earlier?.files ?? []).map { ($0.path, $0) }, uniquingKeysWith: { $1 })
        var state = BackupProgress(
            files: manifest.files.count, bytes: manifest.byteCount, totalFiles: manifest.files.count + live.count,
            totalBytes: manifest.byteCount + live.reduce(0) { $0 + Int64($1.byteCount) })
        progress(state)
        var reported = state.bytes
        var folders: Set<String> = []
        for description in live {
            let path = description.path
            let copy = target + "/" + path
            let sum: FileSum
            if let file = known[path], try isKept(description, file) {
                sum = FileSum(checksum: file.checksum, byteCount: file.byteCount)
            } else {
                try ensureFolders(of: path)
                sum = try take(description, to: copy, &report)
                folders.insert(copy.parentDirectory)
            }
            manifest.files.append(.init(checksum: sum.checksum, byteCount: sum.byteCount, path: path, restoredPath: path))
            state.files += 1
            state.bytes += sum.byteCount
            if state.bytes - reported > 16 << 20 || state.files == state.totalFiles {
                progress(state)
                reported = state.bytes
            }
        }
        for folder in folders.sorted() { try core.files.synchronizeDirectory(folder) }
    }

    /// Whether the folder has the file from an earlier backup.
    private func isKept(_ description: SegmentDescription, _ file: BackupManifest.File) throws -> Bool {
        let path = target + "/" + file.path
        guard file.byteCount == Int64(description.byteCount), try core.files.status(path)?.size == file.byteCount else { return false }
        do {
            return try Segment.readHeader(path: path, fileSystem: core.fileSystem).description == description
        } catch {
            // It does not read, so it is made anew.
            return false
        }
    }

    /// Links or copies a file and reads it back.
    private func take(_ description: SegmentDescription, to copy: String, _ report: inout BackupReport) throws -> FileSum {
        let (files, source) = (core.files, core.folder + "/" + description.path)
        if try files.exists(copy) { try files.unlink(copy) }
        do throws(FileError) {
            try files.link(source, to: copy)
        } catch {
            // Another file system, or one without hard links.
            let sum = try files.copySummed(source, to: copy, pause: pause)
            guard try files.sum(copy, pause: pause) == sum else {
                throw StoreError.unusable(path: copy, reason: "the copy reads back as something else")
            }
            report.copiedFiles += 1
            report.copiedBytes += sum.byteCount
            return sum
        }
        let sum = try files.sum(copy, pause: pause)
        report.linkedFiles += 1
        report.linkedBytes += sum.byteCount
        return sum
    }

    private func ensureFolders(of path: String) throws {
        var folder = target
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            try core.files.ensureDirectory(folder)
        }
    }

    // MARK: Old files

    /// Removes what the manifest does not name.
    private func prune(_ manifest: BackupManifest) throws {
        let files = core.files
        let kept = Set(manifest.files.map(\.path))
        var roots = try files.list(target).filter { $0.hasPrefix(Self.statePrefix) }
        roots.append("data")
        var pending = roots
        var folders: [String] = []
        while let path = pending.popLast() {
            guard let status = try files.status(target + "/" + path) else { continue }
            if status.isDirectory {
                folders.append(path)
                pending += try files.list(target + "/" + path).map { path + "/" + $0 }
            } else if !kept.contains(path) {
                try files.unlink(target + "/" + path)
            }
        }
        // The innermost were found last.
        for folder in folders.reversed() where try files.list(target + "/" + folder).isEmpty {
            try files.removeDirectory(target + "/" + folder)
        }
        try files.synchronizeDirectory(target)
    }
}

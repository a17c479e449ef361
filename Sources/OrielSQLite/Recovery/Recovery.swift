import OrielCompression
import OrielStore
import OrielTelemetry

/// Opens a folder: finds hot.db, checks that it fits the files, puts right what a crash left, and replays the redo. Runs on the commit thread.
struct Recovery {
    let folder: String
    let options: StoreOptions
    let files: any FileLayer
    let crashPoints: CrashPoints
    private let notes = RecoveryNotes()

    init(folder: String, options: StoreOptions, files: any FileLayer, crashPoints: CrashPoints) {
        self.folder = folder
        self.options = options
        self.files = files
        self.crashPoints = crashPoints
    }

    struct Recovered {
        var committer: Committer
        var live: [SegmentFiles.Opened]
        /// Live files that could not be opened.
        var quarantined: [SegmentDescription]
        /// Files of pins that could not be opened.
        var quarantinedPins: [SegmentDescription]
        /// Whether the manifest was rebuilt from the files and nothing was flushed since.
        var isRebuilt: Bool
    }

    func run() throws(StoreError) -> Recovered {
        do {
            if !options.createsStore {
                try Restore.checkFinished(folder, files: files)
                guard try StoreLock.isStore(folder, files: files) else { throw StoreError.noStore(path: folder) }
            }
            try makeFolder(folder)
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unusable(path: folder, reason: "\(error)")
        }
        try Restore.checkFinished(folder, files: files)
        let (lock, content) = try StoreLock.take(folder, files: files)
        do {
            return try recover(lock, content)
        } catch let error as StoreError {
            lock.release()
            throw error
        } catch {
            lock.release()
            throw .unusable(path: folder, reason: "\(error)")
        }
    }

    private func makeFolder(_ path: String) throws(FileError) {
        guard path != "/", try !files.exists(path) else { return }
        try makeFolder(path.parentDirectory)
        try files.ensureDirectory(path)
    }

    /// What was found of hot.db.
    private enum Found {
        case none
        case usable(HotDatabase)
        /// It cannot be used; what could be read of it, and why.
        case lost(HotContents, number: Int, reason: String)
    }

    private func recover(_ lock: StoreLock, _ content: StoreLock.Content?) throws -> Recovered {
        let fileSystem = SQLiteFileSystem(files)
        let ballast = Ballast(folder, files: files)
        try ballast.find()
        if try files.freeSpace(folder) < max(Recovery.neededBytes, options.freeSpaceFloor / 8) {
            // An opening writes a little, and the maintenance thread heals the rest.
            try ballast.release()
        }
        let knownUnknown = Set(try UnknownFiles.names(folder, files: files))
        let scan = try FolderScan(folder, files: files)
        try checkAppDatabase(fileSystem)
        for log in scan.orphanedLogs {
            // SQLite would replay it into whatever gets that name.
            try UnknownFiles.take(log, folder, files: files)
            notes.lose("what \(log.lastPathComponent) held: its database is gone")
        }
        var found = try findHot(scan, fileSystem)
        var identity = content?.identity
        if identity == nil, case .usable(let hot) = found {
            identity = try hot.identity()
        }
        if identity == nil {
            identity = try adoptIdentity(scan, fileSystem)
        }
        let core = StoreCore(
            folder: folder, options: options, files: files, identity: identity ?? .random(), crashPoints: crashPoints, fileSystem: fileSystem,
            ballast: ballast)

        var manifest: [HotDatabase.SegmentRow] = []
        var segments: Segments?
        if case .usable(let hot) = found {
            do {
                manifest = try checkFit(hot, scan, core)
                // A file of a newer version ends the opening before anything is changed.
                segments = try openSegments(manifest, core)
            } catch let error where error is Unfit || error is ColumnError {
                let contents = HotContents(salvaging: hot)
                let number = hot.number
                try hot.close()
                found = .lost(contents, number: number, reason: "\(error)")
            }
        }

        let hot: HotDatabase
        var start = content?.start ?? 0
        switch found {
        case .usable(let usable):
            hot = try compacted(usable, manifest, core)
        case .none where scan.segments.isEmpty:
            hot = try create(number: (scan.hotNumbers.last ?? 0) + 1, HotContents(), [], core)
        case .none, .lost:
            var contents = HotContents()
            var number = scan.hotNumbers.last ?? 0
            if case .lost(let salvaged, let lostNumber, let reason) = found {
                contents = salvaged
                number = max(number, lostNumber)
                notes.rebuild(reason)
                contents.losses.forEach(notes.lose)
            } else {
                notes.rebuild("hot.db is missing")
                notes.lose("rows that were in no segment file yet")
                notes.lose("request keys: a request that is sent again is stored again")
                notes.lose("delta sums: they start anew")
            }
            for (signal, floor) in try AppDatabase.floors(folder, files: files, fileSystem: fileSystem) {
                contents.floors[signal] = max(contents.floors[signal] ?? floor, floor)
            }
            manifest = try rebuild(contents, core)
            contents.families = families(of: manifest, contents.families, core)
            hot = try create(number: number + 1, contents, manifest, core)
            start = max(start, contents.start)
        }
        // Until the first flush after a rebuild, also when a crash came between.
        let isRebuilt = try hot.flushedHigh() == .zero && !manifest.isEmpty
        try removeOtherPairs(than: hot.number)

        var shortage: String?
        try unlessFull(&shortage) { try reconcileDeletions(hot, core) }
        // Starts grow over everything that was ever written here.
        start = max(start, UInt32(clamping: try hot.meta(.start) ?? 0))
        for row in manifest {
            start = max(start, row.description.pieces.map(\.high.start).max() ?? 0)
        }
        start = max(start, try hot.entries(.redo).last?.sequence.start ?? 0)
        start = max(start, try hot.tombstones().last?.sequence.start ?? 0)
        start += 1
        try unlessFull(&shortage) {
            try lock.write(.init(identity: core.identity, start: start))
            crashPoints.reach(.lockWritten)
            try hot.setMeta(.start, Int64(start))
        }

        let unfinished = manifest.filter { $0.state != .live }.map(\.description)
        manifest.removeAll { $0.state != .live }
        try unlessFull(&shortage) { try clear(unfinished, hot, core) }
        let (live, quarantined) = try segments ?? openSegments(manifest, core)
        var pins = PinFiles.Found()
        try unlessFull(&shortage) { pins = try PinRecovery(core: core, notes: notes).run() }
        let replayed = try Replay(hot, live: manifest.map(\.description), core: core, notes: notes).run()
        // Everything inherited is on the disk before the first acknowledgement rests on it.
        try unlessFull(&shortage) { try hot.checkpoint() }
        try files.synchronizeDirectory(folder)

        let unknown = try UnknownFiles.names(folder, files: files)
        let report = notes.finish(filesPutAside: unknown.filter { !knownUnknown.contains($0) })
        core.counters.update { values in
            values.unknownFiles = unknown.count
            values.recovery = report
        }
        let inheritance = Committer.Inheritance(
            hot: hot, lock: lock, start: start, seen: replayed.seen, sequencer: replayed.sequencer,
            redo: replayed.redo, flushedHigh: replayed.flushedHigh, oldestLabels: replayed.oldestLabels)
        core.recent.start(after: replayed.sequence, registry: core.registry)
        core.publish(try published(replayed, live, pins, hot, core.registry))
        let committer = Committer(core, inheritance)
        if let shortage {
            committer.fail("the disk was full when the store was opened (\(shortage)); restart when there is room")
        }
        return Recovered(
            committer: committer, live: live, quarantined: quarantined, quarantinedPins: pins.quarantined, isRebuilt: isRebuilt)
    }

    /// Bytes that an opening may need beside what is there.
    private static let neededBytes: Int64 = 1 << 20

    /// Does something without which nothing can be appended, but all can be read. When the disk is full, the store opens for that.
    private func unlessFull(_ shortage: inout String?, _ body: () throws -> Void) throws {
        guard shortage == nil else { return }
        do {
            try body()
        } catch let error as SQLiteError {
            guard .full ~= error.code else { throw error }
            shortage = "\(error)"
        } catch let error as FileError {
            guard error.isFull else { throw error }
            shortage = "\(error)"
        }
    }

    /// The identity of a store of which only files are left: theirs, with a new secret. Streams that come again get new ids then, which only costs space.
    private func adoptIdentity(_ scan: FolderScan, _ fileSystem: SQLiteFileSystem) throws(StoreError) -> StoreIdentity? {
        for path in scan.segments.keys.sorted() {
            if let header = try SegmentFiles.header(folder + "/" + path, fileSystem: fileSystem) {
                var identity = StoreIdentity.random()
                identity.high = header.storeHigh
                identity.low = header.storeLow
                notes.lose("the key of stream ids: streams that come again get new ids")
                return identity
            }
        }
        return nil
    }

    /// Deletions that only app.db knows go into hot.db, which may be an older one; those that only hot.db knows get their copy.
    private func reconcileDeletions(_ hot: HotDatabase, _ core: StoreCore) throws {
        let known = try hot.tombstones()
        let kept = try AppDatabase.tombstones(core: core)
        let missing = kept.filter { entry in entry.completed == nil && !known.contains { $0.sequence == entry.tombstone.sequence } }
        if !missing.isEmpty {
            try hot.transaction {
                for entry in missing { try hot.setTombstone(entry.tombstone) }
            }
        }
        for tombstone in known where !kept.contains(where: { $0.tombstone.sequence == tombstone.sequence && $0.completed == nil }) {
            try AppDatabase.save(tombstone, core: core)
        }
    }

    /// The first record of this start.
    private func published(
        _ replayed: Replay.Result, _ live: [SegmentFiles.Opened], _ pins: PinFiles.Found, _ hot: HotDatabase, _ registry: StreamRegistry
    ) throws -> PublishedState {
        let floors = try hot.floors()
        let version = UInt64(bitPattern: try hot.meta(.manifestVersion) ?? 0)
        let tombstones = try hot.tombstones()
        let sequence = max(replayed.sequence, tombstones.last?.sequence ?? .zero)
        return PublishedState(registry: registry).replacing(sequence: sequence, manifestVersion: version, tombstones: tombstones) { signals in
            for file in live {
                signals[file.description.signal].segments.append(file.container)
            }
            for opened in pins.opened {
                signals[opened.file.description.signal].pinned.append(opened.published)
            }
            for chunk in replayed.chunks {
                signals[chunk.batch.signal].chunks.append(chunk)
            }
            for (signal, floor) in floors {
                signals[signal].floor = floor
            }
        }
    }

    // MARK: hot.db

    /// The newest complete hot.db. Its log is read for damage before SQLite opens it.
    private func findHot(_ scan: FolderScan, _ fileSystem: SQLiteFileSystem) throws -> Found {
        for number in scan.hotNumbers.reversed() {
            let path = HotDatabase.path(folder, number)
            if let format = HotDatabase.format(path, fileSystem: fileSystem), format > StoreLock.format {
                throw StoreError.newerFormat(path: path, found: format, supported: StoreLock.format)
            }
            if let log = try WriteAheadLog(path + "-wal", files: files), log.isDamaged {
                return try salvage(number, log, "the log is damaged behind frame \(log.readableCount)", fileSystem)
            }
            do {
                let hot = try HotDatabase(folder, number: number, creating: false, fileSystem: fileSystem)
                let isComplete: Bool
                do throws(SQLiteError) {
                    isComplete = try hot.meta(.complete) == 1
                } catch {
                    guard .error ~= error.code else { throw error }
                    // It has no tables yet.
                    isComplete = false
                }
                if isComplete {
                    guard let damage = try hot.damage() else { return .usable(hot) }
                    do throws(SQLiteError) {
                        try hot.close()
                    } catch {
                        // Its log could not be copied into it and is read with it.
                        notes.lose("the damaged hot.db did not close: \(error)")
                    }
                    return try salvage(number, nil, damage, fileSystem)
                }
                // Its making was cut off; what it was made from is still there.
                try hot.close()
                try removePair(number)
            } catch let error as SQLiteError {
                guard .corrupt ~= error.code || .notADatabase ~= error.code else { throw error }
                return try salvage(number, nil, "\(error)", fileSystem)
            }
        }
        return .none
    }

    /// Copies a damaged pair aside and reads what can be read of it.
    private func salvage(_ number: Int, _ log: WriteAheadLog?, _ reason: String, _ fileSystem: SQLiteFileSystem) throws -> Found {
        let path = HotDatabase.path(folder, number)
        var log = log
        let copy = try UnknownFiles.copy(path, folder, files: files)
        if try files.exists(path + "-wal") {
            try UnknownFiles.copy(path + "-wal", folder, files: files)
            if log == nil { log = try WriteAheadLog(path + "-wal", files: files) }
        } else {
            log = nil
        }
        // A second copy takes the pages of the log that are whole, also those behind the damage.
        let merged = folder + "/salvage.db"
        if try files.exists(merged) {
            try files.unlink(merged)
        }
        try files.copy(copy, to: merged)
        let file = try files.open(merged, .readWrite)
        try log?.apply(path + "-wal", to: file, files: files)
        // The file's format numbers: 1 says that there is no log (https://www.sqlite.org/fileformat2.html#file_format_version_numbers).
        let noLog: [UInt8] = [1, 1]
        try files.write(file, at: 18, noLog.span)
        try files.close(file)
        try HotDatabase.restoreFirstPage(of: merged, fileSystem: fileSystem)
        var contents = HotContents()
        do throws(SQLiteError) {
            let hot = try HotDatabase(salvaging: merged, number: number, fileSystem: fileSystem)
            var isWhole = false
            do throws(SQLiteError) {
                isWhole = try hot.damage() == nil
            } catch {
                // Too damaged for being checked: what reads is taken all the same.
                isWhole = false
            }
            contents = HotContents(salvaging: hot, trustsValues: isWhole)
            try hot.close()
        } catch {
            contents.losses.append("all of hot.db: \(error)")
        }
        try files.unlink(merged)
        return .lost(contents, number: number, reason: reason)
    }

    /// Makes hot.db number `number` with what is carried over; it counts when it is complete.
    private func create(
        number: Int, _ contents: HotContents, _ manifest: [HotDatabase.SegmentRow], _ core: StoreCore
    ) throws -> HotDatabase {
        let hot = try HotDatabase(folder, number: number, creating: true, fileSystem: core.fileSystem)
        crashPoints.reach(.hotCreated)
        try hot.transaction {
            try hot.setMeta(.format, Int64(StoreLock.format))
            try hot.setIdentity(core.identity)
            for row in manifest {
                try hot.setSegment(row.description, row.state)
            }
            for (sequence, blob) in contents.redo {
                try hot.append(.redo, sequence, blob)
            }
            for (sequence, blob) in contents.streams {
                try hot.append(.streams, sequence, blob)
            }
            for (sequence, time, blob) in contents.seen {
                try hot.appendSeen(sequence, time: time, blob)
            }
            for (signal, floor) in contents.floors {
                try hot.setFloor(signal, floor)
            }
            for tombstone in contents.tombstones {
                try hot.setTombstone(tombstone)
            }
            for family in contents.families {
                try hot.setFamily(family, .zero)
            }
            if let sums = contents.sums {
                try hot.setState("sums", sums.sequence, sums.blob)
            }
            let last = manifest.map(\.description.fileID).max() ?? 0
            try hot.setMeta(.nextFileID, Int64(bitPattern: max(contents.nextFileID, last + 1)))
            try hot.setMeta(.start, Int64(contents.start))
            try hot.setMeta(.flushedHigh, Int64(bitPattern: contents.flushedHigh.rawValue))
            try hot.setMeta(.manifestVersion, contents.manifestVersion)
        }
        try hot.setMeta(.complete, 1)
        try hot.checkpoint()
        try files.synchronize(path: hot.path)
        crashPoints.reach(.hotCompleted)
        return hot
    }

    /// hot.db written anew as the next number when most of it is free pages, which SQLite keeps for later.
    private func compacted(_ hot: HotDatabase, _ manifest: [HotDatabase.SegmentRow], _ core: StoreCore) throws -> HotDatabase {
        let pages = try hot.pageBytes()
        guard pages.free >= options.hotCompactionBytes, pages.free * 2 > pages.all else { return hot }
        // The new one goes through its log; where that does not fit beside the old one it waits for another start.
        let needed = 2 * (pages.all - pages.free) + Recovery.neededBytes
        if let free = core.freeSpace.bytes(core, age: 0), free - needed < options.freeSpaceFloor { return hot }
        var contents = HotContents(salvaging: hot)
        guard contents.losses.isEmpty else { return hot }
        contents.flushedHigh = try hot.flushedHigh()
        contents.manifestVersion = try hot.meta(.manifestVersion) ?? 0
        let compact = try create(number: hot.number + 1, contents, manifest, core)
        try hot.close()
        return compact
    }

    private func removeOtherPairs(than number: Int) throws(FileError) {
        for other in try FolderScan(folder, files: files).hotNumbers where other != number {
            try removePair(other)
        }
    }

    /// Removes a database and its log, the database first: a log alone is harmless, a database without its log is an older state.
    private func removePair(_ number: Int) throws(FileError) {
        let path = HotDatabase.path(folder, number)
        for path in [path, path + "-wal", path + "-journal"] where try files.exists(path) {
            try files.unlink(path)
            try files.synchronizeDirectory(folder)
        }
    }

    // MARK: The manifest against the files

    /// Why hot.db cannot be the manifest of this folder.
    struct Unfit: Error, CustomStringConvertible {
        var description: String
    }

    /// The manifest, when it fits the files.
    private func checkFit(_ hot: HotDatabase, _ scan: FolderScan, _ core: StoreCore) throws -> [HotDatabase.SegmentRow] {
        if let identity = try hot.identity(), identity != core.identity {
            throw Unfit(description: "hot.db is of another store")
        }
        let rows = try hot.segments()
        let flushedHigh = try hot.flushedHigh()
        let live = Set(rows.filter { $0.state == .live }.map(\.description.fileID))
        var known: Set<String> = []
        for row in rows {
            known.insert(row.description.path)
            switch row.state {
            case .live:
                guard scan.segments[row.description.path] != nil else {
                    throw Unfit(description: "\(row.description.path) is missing")
                }
            case .writing:
                if row.description.level == 0, row.description.inputs.isEmpty, row.description.pieces.contains(where: { $0.high <= flushedHigh }) {
                    throw Unfit(description: "the redo of \(row.description.path) is gone")
                }
                if let missing = row.description.inputs.first(where: { !live.contains($0) }) {
                    throw Unfit(description: "file \(missing), an input of \(row.description.path), is gone")
                }
            case .dead: break
            }
        }
        for (path, _) in scan.segments.sorted(by: { $0.key < $1.key }) where !known.contains(path) {
            if try SegmentFiles.description(path, core: core) != nil {
                throw Unfit(description: "\(path) is not in the manifest")
            }
            try UnknownFiles.take(folder + "/" + path, folder, files: files)
        }
        try clearOthers(scan.others)
        return rows
    }

    /// Deletes files that were not finished, and moves away what is none of ours.
    private func clearOthers(_ paths: [String]) throws(FileError) {
        try UnknownFiles.clearUnfinished(folder, files: files)
        for path in paths {
            if path.hasSuffix(".seg.tmp") {
                try files.unlink(folder + "/" + path)
            } else {
                try UnknownFiles.take(folder + "/" + path, folder, files: files)
            }
        }
    }

    /// The manifest as the files tell it. Dead files are listed as such and unlinked later.
    private func rebuild(_ contents: HotContents, _ core: StoreCore) throws -> [HotDatabase.SegmentRow] {
        var descriptions: [SegmentDescription] = []
        for (path, _) in try FolderScan(folder, files: files).segments.sorted(by: { $0.key < $1.key }) {
            if let description = try SegmentFiles.description(path, core: core), description.path == path {
                descriptions.append(description)
            } else {
                try UnknownFiles.take(folder + "/" + path, folder, files: files)
            }
        }
        try clearOthers(try FolderScan(folder, files: files).others)
        // Nothing is unlinked on the strength of a file that was not read in full.
        var damaged: Set<UInt64> = []
        while true {
            let usable = descriptions.filter { !damaged.contains($0.fileID) }
            let selection = SegmentSelection.select(usable)
            var isSure = true
            if !selection.dead.isEmpty {
                for file in selection.live where !SegmentFiles.isWhole(file, core: core) {
                    damaged.insert(file.fileID)
                    isSure = false
                }
            }
            if isSure {
                var live = selection.live
                // A damaged file whose inputs are not all there lives on without its bad pages.
                let inputs = Set(descriptions.map(\.fileID))
                for file in descriptions where damaged.contains(file.fileID) && !file.inputs.allSatisfy({ inputs.contains($0) }) {
                    live.append(file)
                }
                let liveIDs = Set(live.map(\.fileID))
                return descriptions.map { HotDatabase.SegmentRow(description: $0, state: liveIDs.contains($0.fileID) ? .live : .dead) }
            }
        }
    }

    /// Refuses an app.db of a newer version, before anything is changed, brings an older one up to date, and puts a damaged one aside.
    private func checkAppDatabase(_ fileSystem: SQLiteFileSystem) throws {
        let path = folder + "/app.db"
        guard try files.exists(path) else { return }
        if let found = try AppDatabase.format(path, files: files), found > AppDatabase.format {
            throw StoreError.newerFormat(path: path, found: found, supported: AppDatabase.format)
        }
        do {
            try AppDatabase.check(folder, fileSystem: fileSystem)
        } catch  where AppDatabase.isDamage(error) {
            for path in [path, path + "-wal"] where try files.exists(path) {
                try UnknownFiles.take(path, folder, files: files)
            }
            notes.lose("what app.db held (tokens, floors, pins, finished deletions): \(error)")
        }
    }

    /// What is known about metrics, from the files of a rebuilt manifest, the oldest first, and from `known`, which is newer than all.
    private func families(of manifest: [HotDatabase.SegmentRow], _ known: [MetricFamily], _ core: StoreCore) -> [MetricFamily] {
        var families: [String: MetricFamily] = [:]
        let files = manifest.filter { $0.state == .live && $0.description.signal.isMetric }.map(\.description)
        for file in files.sorted(by: { $0.fileID < $1.fileID }) {
            do throws(StoreError) {
                for family in try SegmentFiles.families(file, core: core) { families[family.name] = family }
            } catch {
                notes.lose("metric families of \(file.path): \(error)")
            }
        }
        for family in known { families[family.name] = family }
        return families.values.sorted { $0.name < $1.name }
    }

    /// Unlinks what was being written or is dead, before the next transaction of the manifest.
    private func clear(_ gone: [SegmentDescription], _ hot: HotDatabase, _ core: StoreCore) throws {
        guard !gone.isEmpty else { return }
        try DeadFiles.unlink(gone.map { folder + "/" + $0.path }, core: core)
        try hot.transaction {
            for description in gone {
                try hot.removeSegment(description.fileID)
            }
        }
    }

    private typealias Segments = (opened: [SegmentFiles.Opened], quarantined: [SegmentDescription])

    /// Opens the live files.
    private func openSegments(_ manifest: [HotDatabase.SegmentRow], _ core: StoreCore) throws(StoreError) -> Segments {
        var opened: [SegmentFiles.Opened] = []
        var quarantined: [SegmentDescription] = []
        for row in manifest where row.state == .live {
            do throws(StoreError) {
                opened.append(.init(description: row.description, container: try SegmentFiles.open(row.description, core: core)))
            } catch {
                if case .newerFormat = error { throw error }
                // The rest keeps answering; the file stays where it is for whoever repairs it.
                core.damage.note(path: folder + "/" + row.description.path, block: nil, reason: "\(error)")
                quarantined.append(row.description)
            }
        }
        return (opened, quarantined)
    }
}

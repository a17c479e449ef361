import OrielStore
import OrielTelemetry

/// What the maintenance thread knows of the disk from one look to the next.
struct DiskWatch: Sendable {
    /// When the store was opened, and when the disk was looked at last.
    let opened: Timestamp
    var lastCheck: Timestamp
    /// Whether the last look found less space than appends need; at first that is not known.
    var isShort = true
    /// Writes without space that were seen to.
    var fullWrites = 0
    var growth = GrowthRecord()
    /// Bytes of files that floors have removed since the start, by signal; of these those that went for want of space.
    var removed: [Signal: Int64] = [:]
    var dropped: [Signal: Int64] = [:]
    /// Floors whose copy in app.db found no space.
    var unsavedFloors: [Signal: Timestamp] = [:]
    /// A file system that cannot allocate is not asked again before.
    var ballastPausedUntil = Timestamp(nanoseconds: .min)

    init(_ now: Timestamp) {
        opened = now
        lastCheck = now
    }

    /// While space is short the disk is looked at so often, in nanoseconds.
    static let shortInterval: Int64 = 1_000_000_000
    /// Rows of the last minute are never given up: senders are still about to deliver their like.
    static let youngest: Int64 = 60_000_000_000
    static let ballastPause: Int64 = 3_600_000_000_000

    func isDue(_ now: Timestamp, interval: Int64, fullWrites: Int) -> Bool {
        let passed = now.nanoseconds.subtractingSaturating(lastCheck.nanoseconds)
        return passed >= interval || (isShort && passed >= min(interval, DiskWatch.shortInterval)) || fullWrites != self.fullWrites || passed < 0
    }
}

extension Maintainer {
    /// Looks at the disk if it is time: heals a full one, holds the budget, restores the ballast, and tells the statistics.
    func checkDiskIfDue(_ now: Timestamp) throws {
        let fullWrites = core.counters.current.fullWrites
        guard disk.isDue(now, interval: core.options.diskCheckInterval, fullWrites: fullWrites) else { return }
        disk.lastCheck = now
        let hasFailed = fullWrites != disk.fullWrites
        disk.fullWrites = fullWrites
        try saveFloors()
        if let free = core.freeSpace.bytes(core, age: 0) {
            let isEmpty = hasFailed || free < core.options.freeSpaceFloor / 8
            disk.isShort = isEmpty || free < core.freeSpaceNeeded
            if isEmpty {
                try core.ballast.release()
                try makeRoom(now)
            } else {
                restoreBallast(now, free)
            }
        }
        try holdBudget(now)
        try noteDisk(now)
    }

    /// Gives up the oldest rows until what appends need is free.
    private func makeRoom(_ now: Timestamp) throws {
        // What is on its way out frees space without more being given up.
        while try unlinkDead() {}
        guard core.options.dropsOldestWhenFull, let free = core.freeSpace.bytes(core, age: 0) else { return }
        let needed = core.freeSpaceNeeded
        let missing = needed + needed / 8 - free - (try usage()).dead
        guard missing > 0 else { return }
        let files = stayingFiles
        let bytes = files.values.joined().reduce(Int64(0)) { $0 + $1.byteCount }
        try giveUpOldest(files, allowed: bytes - missing, excess: missing, now)
        while try unlinkDead() {}
    }

    /// Gives up the oldest rows until the budget holds.
    private func holdBudget(_ now: Timestamp) throws {
        guard let budget = core.options.diskBudget else { return }
        let usage = try usage()
        // Whatever else lies in the folder takes at most half: no foreign file drives all rows out.
        let allowed = max(budget - usage.other, budget / 2)
        let files = stayingFiles
        let bytes = files.values.joined().reduce(Int64(0)) { $0 + $1.byteCount }
        try giveUpOldest(files, allowed: allowed, excess: bytes - allowed, now)
    }

    private func giveUpOldest(_ files: [Signal: [DiskBudget.File]], allowed: Int64, excess: Int64, _ now: Timestamp) throws {
        guard excess > 0 else { return }
        let latest = Timestamp(nanoseconds: now.nanoseconds.subtractingSaturating(DiskWatch.youngest))
        let floors = DiskBudget(shares: core.options.diskShares).floors(files, allowed: allowed, excess: excess, latest: latest)
        for (signal, floor) in floors.sorted(by: { $0.key < $1.key }) {
            let before = disk.removed[signal, default: 0]
            try raiseFloor(signal, to: floor)
            disk.dropped[signal, default: 0] += disk.removed[signal, default: 0] - before
        }
    }

    /// Live files with rows above the floors.
    private var stayingFiles: [Signal: [DiskBudget.File]] {
        var files: [Signal: [DiskBudget.File]] = [:]
        for file in live.values where file.description.rowCount > 0 {
            let signal = file.description.signal
            let end = Timestamp(nanoseconds: file.description.endNanoseconds)
            if end >= core.state[signal].floor {
                files[signal, default: []].append(.init(end: end, byteCount: Int64(file.description.byteCount)))
            }
        }
        return files
    }

    private struct Usage {
        var total: Int64
        /// Files that go when nobody reads them any more.
        var dead: Int64
        /// Neither live nor dead files of signals.
        var other: Int64
    }

    private func usage() throws -> Usage {
        let prefix = core.folder.utf8.count + 1
        let paths = dead.map { String($0.path.dropFirst(prefix)) }
        let found = try DiskUsage(core.folder, asking: Set(paths), files: core.files)
        let deadBytes = found.asked.values.reduce(0, +)
        let liveBytes = live.values.reduce(Int64(0)) { $0 + Int64($1.description.byteCount) }
        return Usage(total: found.total, dead: deadBytes, other: max(0, found.total - liveBytes - deadBytes))
    }

    private func restoreBallast(_ now: Timestamp, _ free: Int64) {
        guard core.options.ballastBytes > 0, now >= disk.ballastPausedUntil else { return }
        // Not in the first moments, when there is enough to do.
        guard now.nanoseconds.subtractingSaturating(disk.opened.nanoseconds) >= core.options.diskCheckInterval else { return }
        let size = min(core.options.ballastBytes, core.options.diskBudget.map { $0 / 20 } ?? .max)
        do throws(FileError) {
            try core.ballast.restore(size: size, free: free, floor: core.options.freeSpaceFloor)
        } catch {
            // Not every file system can allocate; without a ballast there is only less to heal with, and the statistics show that there is none.
            disk.ballastPausedUntil = Timestamp(nanoseconds: now.nanoseconds.addingSaturating(DiskWatch.ballastPause))
        }
    }

    private func noteDisk(_ now: Timestamp) throws {
        let usage = try usage()
        var written = disk.removed
        for file in live.values { written[file.description.signal, default: 0] += Int64(file.description.byteCount) }
        let ballast = core.ballast.byteCount
        let point = GrowthRecord.Point(time: now, written: written, used: usage.total - usage.dead - ballast)
        disk.growth.note(point)

        var statistics = DiskStatistics()
        statistics.budget = core.options.diskBudget
        statistics.used = usage.total
        statistics.other = usage.other + usage.dead
        statistics.ballast = ballast
        statistics.free = core.freeSpace.bytes(core, age: 0)
        statistics.isFull = statistics.free.map { $0 < core.freeSpaceNeeded } ?? false
        statistics.dropped = disk.dropped
        statistics.bytesPerDay = disk.growth.bytesPerDay(at: point) ?? [:]
        let rooms = [statistics.budget.map { $0 - usage.total }, statistics.free.map { $0 - core.freeSpaceNeeded }].compactMap { $0 }
        statistics.secondsUntilFull = rooms.min().flatMap { disk.growth.secondsUntilFull(room: $0, at: point) }
        core.counters.update { $0.disk = statistics }
    }

    // MARK: Floors

    /// Moves a floor up and drops the files that lie wholly below it.
    func raiseFloor(_ signal: Signal, to wanted: Timestamp) throws {
        let present = core.state[signal].floor
        let floor = max(wanted, present)
        let expired = live.values.filter { file in
            guard file.description.signal == signal else { return false }
            // What is being written anew goes when that has ended.
            guard !isInput(file.description.fileID) else { return false }
            // A file without rows keeps its piece as long as its day may have others.
            return file.description.rowCount > 0 && file.description.endNanoseconds < floor.nanoseconds
        }
        guard floor > present || !expired.isEmpty else { return }
        if floor > present {
            disk.unsavedFloors[signal] = floor
            try saveFloors()
        }
        let gone = expired.map { (id: $0.description.fileID, container: $0.container) }
        try core.perform { committer in
            try committer.raiseFloor(signal, to: floor, expired: gone)
        }
        disk.removed[signal, default: 0] += expired.reduce(0) { $0 + Int64($1.description.byteCount) }
        retire(expired.map(\.description.fileID))
    }

    /// Writes the copies of floors into app.db. On a full disk the floor moves all the same, and the copy follows: until then only a lost hot.db would bring rows back, of
    /// files that are not wholly below the floor.
    private func saveFloors() throws {
        for (signal, floor) in disk.unsavedFloors {
            do {
                try AppDatabase.saveFloor(signal, floor, core: core)
                disk.unsavedFloors[signal] = nil
            } catch let error as SQLiteError {
                guard .full ~= error.code else { throw error }
                try core.ballast.release()
            }
        }
    }
}

extension SegmentDescription {
    /// The time of the last row, nanoseconds.
    var endNanoseconds: Int64 {
        let (end, overflow) = maximumTime.multipliedReportingOverflow(by: signal.nanosecondsPerTimeUnit)
        return overflow ? (maximumTime < 0 ? .min : .max) : end
    }
}

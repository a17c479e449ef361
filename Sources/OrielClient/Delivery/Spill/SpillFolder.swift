import OrielTelemetry
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What went wrong in a spill folder.
enum SpillError: Error, Sendable, CustomStringConvertible {
    case unusable(folder: String, SystemError)
    /// A file whose request was delivered, or refused, stays.
    case irremovable(file: String, SystemError)

    var description: String {
        switch self {
        case .unusable(let folder, let reason): "telemetry cannot be kept in \(folder): \(reason)"
        case .irremovable(let file, let reason): "telemetry that was sent stays in \(file), and may be sent once more after a restart: \(reason)"
        }
    }
}

/// Requests that could not be delivered, in files, a request each: they survive a restart of the service, and its sudden death.
///
/// Several processes may use one folder, also those of different services. Each has a subfolder of its own, which it holds the lock of; at its start, and once a minute while it
/// looks for something to send, it takes over the subfolders that nobody holds, which dead processes of the same service left. Those of other services may be for other receivers,
/// and in the name of somebody else: they stay as they are and take their room. So do those named `process-…`, of a time when the name did not tell whose they are.
///
/// A file is written under another name and made durable before it gets its own; the name is the time in nanoseconds, so that names sort by age.
/// What cannot be read is renamed and kept for people, until its room is needed. What was sent and cannot be removed is emptied; where even that is impossible, this process
/// does not send it again.
struct SpillFolder: Sendable {
    enum Writing: Sendable {
        case written
        /// There is no room within the limit, or on the disk.
        case full
        case failed(String)
    }

    private struct Entry: Sendable {
        let directory: SpillFiles.LockedDirectory
        let name: String
        /// Bytes on the disk.
        let size: Int
        let signal: ExportSignal
        let itemCount: Int
        var attempts = DeliveryAttempts()

        var path: String { "\(directory.path)/\(name)" }
    }

    /// What all subfolders of processes begin with.
    private static let subfolderPrefixes = ["service-", "process-"]
    private static let ending = ".otlp"
    private static let damagedEnding = ".damaged"
    private static let unfinishedEnding = ".unfinished"
    /// What file systems give to a file at least.
    private static let blockBytes = 4096
    /// How long the size of what other processes wrote is not looked up again.
    private static let othersInterval: Duration = .seconds(5)
    /// How long nobody looks again for what dead processes left.
    static let standardLookInterval: Duration = .seconds(60)

    /// Items in the folder that this process is to deliver.
    private(set) var itemCounts: [ExportSignal: UInt64] = [:]
    /// Items that earlier processes had left.
    private(set) var recoveredCounts: [ExportSignal: UInt64] = [:]
    /// Items in files that could not be read again.
    private(set) var lostCounts: [ExportSignal: UInt64] = [:]
    /// Files that were moved aside.
    private(set) var damagedFiles = 0

    private let path: String
    private let limit: Int
    /// What the names of this service's subfolders begin with.
    private let prefix: String
    private let lookInterval: Duration
    /// When ``next(of:)`` looks again for what dead processes left.
    private(set) var nextLook = ContinuousClock.now
    private var own: SpillFiles.LockedDirectory
    /// Subfolders that were taken over and hold damaged files or such of a later version.
    private var kept: [SpillFiles.LockedDirectory] = []
    /// Oldest first, from `first` on.
    private var entries: [Entry] = []
    private var first = 0
    /// Bytes of all files in subfolders whose lock is held.
    private var bytes = 0
    /// Bytes of files of other processes, and when they were counted.
    private var others: (bytes: Int, time: ContinuousClock.Instant)?
    /// Damaged files, oldest first.
    private var damaged: [(path: String, size: Int)] = []
    private var lastTime: UInt64 = 0
    /// Whether it was told that a file stays which should not.
    private var hasToldOfIrremovable = false

    /// Files that this process has sent and cannot remove, whichever of its folders they were found in.
    private static let irremovable = Mutex<Set<String>>([])

    /// Opens a folder, makes it if need be, and takes over what dead processes left.
    ///
    /// - Parameters:
    ///   - limit: bytes of files in the folder, those of other processes included.
    ///   - service: what only processes have in common that may send each other's telemetry.
    ///   - lookInterval: how long ``next(of:)`` does not look again for what dead processes left.
    init(
        _ path: String, limit: Int, service: String, lookInterval: Duration = Self.standardLookInterval
    ) throws(SpillError) {
        self.path = path
        self.limit = limit
        prefix = "service-\(Self.hexadecimal(Self.hash(service)))-"
        self.lookInterval = lookInterval
        do throws(SystemError) {
            try SpillFiles.makeDirectories(path)
            own = try Self.makeSubfolder(of: path, prefix)
            try adoptAll()
        } catch {
            throw .unusable(folder: path, error)
        }
    }

    var isEmpty: Bool { first == entries.count }

    /// The kinds of telemetry in the folder that this process is to deliver.
    var signals: Set<ExportSignal> { Set(itemCounts.lazy.filter { $0.value > 0 }.map(\.key)) }

    /// The kinds of telemetry that this process itself has put here.
    var ownSignals: Set<ExportSignal> { Set(entries[first...].lazy.filter { $0.directory === own }.map(\.signal)) }

    /// A day from now.
    private static var latestName: UInt64 { UInt64(clamping: Timestamp.now.advanced(by: 86_400_000_000_000).nanoseconds) }

    /// FNV-1a: it outlives the process, and fits a name whatever the service is called.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// 16 digits, so that texts sort as numbers do.
    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func isSubfolder(_ name: String) -> Bool { subfolderPrefixes.contains { name.hasPrefix($0) } }

    private static func makeSubfolder(of path: String, _ prefix: String) throws(SystemError) -> SpillFiles.LockedDirectory {
        while true {
            let subfolder = "\(path)/\(prefix)\(getpid())-\(hexadecimal(UInt64.random(in: 0...UInt64.max)))"
            do throws(SystemError) {
                try SpillFiles.makeDirectory(subfolder)
            } catch  where error.isExisting {
                continue
            }
            // Another process that looks for subfolders may have taken and removed the empty one.
            if let directory = try SpillFiles.lock(subfolder) { return directory }
        }
    }

    // MARK: Taking over

    /// Takes over what dead processes of the same service left.
    private mutating func adoptAll() throws(SystemError) {
        nextLook = ContinuousClock.now + lookInterval
        let (before, count) = (itemCounts, entries.count)
        for name in try SpillFiles.names(in: path) where Self.isSubfolder(name) {
            let subfolder = "\(path)/\(name)"
            let isMine = name.hasPrefix(prefix)
            // One that is empty is removed with its lock, whosever it was.
            guard isMine || (try? SpillFiles.names(in: subfolder))?.isEmpty ?? false else { continue }
            // One that cannot be opened is left to whoever can. Those of this process have their lock taken.
            guard let directory = try? SpillFiles.lock(subfolder) else { continue }
            if isMine { adopt(directory) }
        }
        guard entries.count > count else { return }
        entries[first...].sort { $0.name < $1.name }
        recoveredCounts.merge(itemCounts) { $0 + $1 }
        for (signal, count) in before { recoveredCounts[signal, default: 0] -= count }
        // What was counted as others' is this process's now.
        others = nil
    }

    private mutating func adopt(_ directory: SpillFiles.LockedDirectory) {
        var isKept = false
        for name in (try? SpillFiles.names(in: directory.path)) ?? [] {
            let file = "\(directory.path)/\(name)"
            guard let size = SpillFiles.size(file) else { continue }
            // An empty one was sent, and could not be removed.
            if name.hasSuffix(Self.unfinishedEnding) || size == 0 && name.hasSuffix(Self.ending) {
                try? SpillFiles.remove(file)
                continue
            }
            if Self.irremovable.withLock({ $0.contains(file) }) {
                if removeSent(file) != nil {
                    bytes += Self.rounded(size)
                    isKept = true
                }
                continue
            }
            bytes += Self.rounded(size)
            if name.hasSuffix(Self.damagedEnding) {
                damaged.append((file, Self.rounded(size)))
                isKept = true
                continue
            }
            let head = (try? SpillFiles.read(file, limit: SpillFile.headerBytes)) ?? []
            switch name.hasSuffix(Self.ending) ? SpillFile.read(head.span) : .damaged {
            case .header(let header):
                entries.append(
                    Entry(directory: directory, name: name, size: Self.rounded(size), signal: header.signal, itemCount: header.itemCount))
                itemCounts[header.signal, default: 0] += UInt64(header.itemCount)
                let time = UInt64(name.dropLast(Self.ending.count), radix: 16) ?? 0
                // No clock is wrong like that: it is somebody else's name, after which there may be none.
                if time <= Self.latestName { lastTime = max(lastTime, time) }
            case .newer: isKept = true
            case .damaged:
                moveAside(file, size: Self.rounded(size))
                isKept = true
            }
        }
        if isKept { kept.append(directory) }
    }

    private mutating func moveAside(_ file: String, size: Int) {
        damagedFiles += 1
        let new = file + Self.damagedEnding
        // If it cannot be renamed it stays what it is: not among the entries.
        if (try? SpillFiles.rename(file, to: new)) != nil { damaged.append((new, size)) }
    }

    // MARK: Writing

    mutating func write(_ batch: ExportBatch) -> Writing {
        let size = Self.rounded(SpillFile.headerBytes + batch.request.count)
        guard makeRoom(size) else { return .full }
        do throws(SystemError) {
            do throws(SystemError) {
                try writeFile(batch, size: size)
            } catch  where error.isMissing {
                // Somebody cleaned up. What was there is found missing when it is its turn.
                try SpillFiles.makeDirectories(path)
                own = try Self.makeSubfolder(of: path, prefix)
                try writeFile(batch, size: size)
            }
        } catch {
            return error.isFull ? .full : .failed("\(SpillError.unusable(folder: path, error))")
        }
        return .written
    }

    private mutating func writeFile(_ batch: ExportBatch, size: Int) throws(SystemError) {
        // Later than the one before, whatever the clock says.
        let time = max(UInt64(clamping: Timestamp.now.nanoseconds), lastTime + 1)
        let entry = Entry(directory: own, name: Self.hexadecimal(time) + Self.ending, size: size, signal: batch.signal, itemCount: batch.itemCount)
        let unfinished = entry.path + Self.unfinishedEnding
        try SpillFiles.write(unfinished, [SpillFile.header(of: batch), batch.request])
        do throws(SystemError) {
            try SpillFiles.rename(unfinished, to: entry.path)
            try own.synchronize()
        } catch {
            try? SpillFiles.remove(unfinished)
            try? SpillFiles.remove(entry.path)
            throw error
        }
        lastTime = time
        bytes += size
        entries.append(entry)
        itemCounts[batch.signal, default: 0] += UInt64(batch.itemCount)
    }

    /// Whether there is room for a file, if need be where damaged ones were.
    private mutating func makeRoom(_ size: Int) -> Bool {
        guard size <= limit else { return false }
        let others = bytesOfOthers()
        while bytes + others + size > limit {
            guard let oldest = damaged.first else { return false }
            damaged.removeFirst()
            try? SpillFiles.remove(oldest.path)
            bytes -= oldest.size
        }
        return true
    }

    private mutating func bytesOfOthers() -> Int {
        if let others, ContinuousClock.now < others.time + Self.othersInterval { return others.bytes }
        let mine = Set(([own] + kept + entries[first...].map(\.directory)).map(\.path))
        var sum = 0
        for name in (try? SpillFiles.names(in: path)) ?? [] where Self.isSubfolder(name) {
            let subfolder = "\(path)/\(name)"
            if mine.contains(subfolder) { continue }
            for file in (try? SpillFiles.names(in: subfolder)) ?? [] { sum += SpillFiles.size("\(subfolder)/\(file)").map(Self.rounded) ?? 0 }
        }
        others = (sum, .now)
        return sum
    }

    private static func rounded(_ size: Int) -> Int { (size + blockBytes - 1) / blockBytes * blockBytes }

    // MARK: Reading

    /// The oldest request of some kinds of telemetry that can be read, those included that a process left which died meanwhile. What was tried in vain again and again comes after
    /// the others.
    mutating func next(of signals: Set<ExportSignal> = Set(ExportSignal.allCases)) -> ExportBatch? {
        // A folder that cannot be listed now may be a minute later; what this process knows of is in the list.
        if ContinuousClock.now >= nextLook { try? adoptAll() }
        while let index = nextIndex(of: signals) {
            // What is not wanted now stays behind it, in its order.
            if index > first { entries.insert(entries.remove(at: index), at: first) }
            let entry = entries[first]
            let content: [UInt8]
            do throws(SystemError) {
                content = try SpillFiles.read(entry.path, limit: entry.size)
            } catch {
                // It may be that only this process cannot read it now, so it is left to the next one.
                lose(entry)
                continue
            }
            if let batch = SpillFile.batch(content), batch.signal == entry.signal, batch.itemCount == entry.itemCount { return batch }
            lose(entry)
            bytes += entry.size
            moveAside(entry.path, size: entry.size)
            keep(entry.directory)
        }
        return nil
    }

    /// Of several in the same turn it is the first.
    private func nextIndex(of signals: Set<ExportSignal>) -> Int? {
        entries[first...].indices.lazy.filter { signals.contains(entries[$0].signal) }.min { entries[$0].attempts.turn < entries[$1].attempts.turn }
    }

    /// To be called when what ``next()`` gave did not arrive.
    ///
    /// - Parameter arrived: requests of the same kind of telemetry that were delivered so far.
    /// - Returns: whether it is given up, and to be removed.
    mutating func noteFailure(arrived: UInt64) -> Bool {
        guard first < entries.count else { return false }
        entries[first].attempts.noteFailure(arrived: arrived)
        return entries[first].attempts.isHopeless
    }

    /// Removes what ``next()`` gave.
    ///
    /// - Returns: that a file stays which should not, the first time.
    @discardableResult
    mutating func remove() -> SpillError? {
        guard first < entries.count else { return nil }
        let entry = entries[first]
        guard let failure = removeSent(entry.path) else {
            leave(entry)
            return nil
        }
        // It still takes its room, and nobody else is to find it as long as this process can prevent it.
        bytes += entry.size
        keep(entry.directory)
        leave(entry)
        defer { hasToldOfIrremovable = true }
        return hasToldOfIrremovable ? nil : .irremovable(file: entry.path, failure)
    }

    /// Removes a file that was sent. One that cannot be removed is emptied; one that cannot be emptied either is remembered.
    ///
    /// - Returns: why its content stays.
    private func removeSent(_ file: String) -> SystemError? {
        do throws(SystemError) {
            do throws(SystemError) {
                try SpillFiles.remove(file)
            } catch  where error.isMissing {
            } catch {
                try SpillFiles.empty(file)
            }
        } catch {
            Self.irremovable.withLock { _ = $0.insert(file) }
            return error
        }
        Self.irremovable.withLock { _ = $0.remove(file) }
        return nil
    }

    /// Goes on to hold a subfolder in which something stays.
    private mutating func keep(_ directory: SpillFiles.LockedDirectory) {
        if directory !== own, !kept.contains(where: { $0 === directory }) { kept.append(directory) }
    }

    private mutating func lose(_ entry: Entry) {
        lostCounts[entry.signal, default: 0] += UInt64(entry.itemCount)
        leave(entry)
    }

    /// The last entry of a subfolder lets go of it, which removes it if it is empty.
    private mutating func leave(_ entry: Entry) {
        itemCounts[entry.signal, default: 0] -= UInt64(entry.itemCount)
        bytes -= entry.size
        first += 1
        if first == entries.count || first >= 256 {
            entries.removeFirst(first)
            first = 0
        }
    }
}

import OrielStore
import OrielTelemetry

/// All of a hot.db that a rebuild carries over, as far as it can be read: blobs whose checksum is right, rows that read.
struct HotContents {
    var redo: [(sequence: CommitSequence, blob: [UInt8])] = []
    var streams: [(sequence: CommitSequence, blob: [UInt8])] = []
    var seen: [(sequence: CommitSequence, time: Timestamp, blob: [UInt8])] = []
    var floors: [Signal: Timestamp] = [:]
    var tombstones: [Tombstone] = []
    var families: [MetricFamily] = []
    var sums: (sequence: CommitSequence, blob: [UInt8])?
    var start: UInt32 = 0
    var nextFileID: UInt64 = 1
    /// Where the manifest stands, when it is carried over with the rest; a rebuild begins anew.
    var flushedHigh = CommitSequence.zero
    var manifestVersion: Int64 = 0
    /// What could not be read.
    var losses: [String] = []

    init() {}

    /// Reads everything from `hot`, each table and each blob for itself.
    ///
    /// - Parameter trustsValues: Whether floors and single values may be believed, which have no checksum each; app.db has the floors too.
    init(salvaging hot: HotDatabase, trustsValues: Bool = true) {
        redo = salvage(.redo, hot)
        streams = salvage(.streams, hot)
        let keys = attempt("request keys") { try hot.seen() } ?? []
        seen = keys.filter { Self.isIntact($0.blob) }
        if seen.count < keys.count { losses.append("request keys of \(keys.count - seen.count) commits") }
        if trustsValues { floors = attempt("floors") { try hot.floors() } ?? [:] }
        tombstones = attempt("deletions") { try hot.tombstones() } ?? []
        families = attempt("metric families") { try hot.families() } ?? []
        sums = attempt("delta sums") { try hot.state("sums") }.flatMap { $0 }.flatMap { Self.isIntact($0.blob) ? $0 : nil }
        guard trustsValues else { return }
        start = attempt("the start number") { UInt32(clamping: try hot.meta(.start) ?? 0) } ?? 0
        nextFileID = attempt("the next file id") { UInt64(bitPattern: try hot.meta(.nextFileID) ?? 1) } ?? 1
    }

    private mutating func salvage(_ log: HotDatabase.Log, _ hot: HotDatabase) -> [(sequence: CommitSequence, blob: [UInt8])] {
        var found: [(sequence: CommitSequence, blob: [UInt8])] = []
        var damaged = 0
        var next = CommitSequence.zero
        var misses = 0
        while misses < 4096 {
            do {
                guard let sequence = try hot.firstSequence(log, from: next) else { break }
                next = CommitSequence(rawValue: sequence.rawValue + 1)
                if let blob = try hot.blob(log, sequence), Self.isIntact(blob) {
                    found.append((sequence, blob))
                    misses = 0
                } else {
                    damaged += 1
                }
            } catch {
                // A page is missing; what comes behind it may be on another one.
                misses += 1
                next = CommitSequence(rawValue: next.rawValue + 1)
                damaged += misses == 1 ? 1 : 0
            }
        }
        if damaged > 0 {
            losses.append("\(log == .redo ? "rows" : "labels of new streams") of \(damaged) or more commits")
        }
        return found
    }

    private mutating func attempt<Value>(_ what: String, _ body: () throws -> Value) -> Value? {
        do {
            return try body()
        } catch {
            losses.append("\(what): \(error)")
            return nil
        }
    }

    private static func isIntact(_ blob: [UInt8]) -> Bool {
        do {
            _ = try BlobChecksum.open(blob.span)
            return true
        } catch {
            return false
        }
    }
}

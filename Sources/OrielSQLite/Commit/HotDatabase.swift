import OrielCompression
import OrielStore
import OrielTelemetry

/// hot.db: redo, the labels that it refers to, request keys, the manifest and the small tables. One connection, used by the commit thread only.
///
/// The file in use is the `hot-<n>.db` with the highest n that is complete. Making or rebuilding one writes n + 1 under its final name.
final class HotDatabase {
    /// The state of a segment file in the manifest.
    enum SegmentState: Int64, Sendable {
        /// Entered before the file is made.
        case writing = 1
        case live = 2
        /// To be unlinked; the row goes after that.
        case dead = 3
    }

    /// A row of the manifest.
    struct SegmentRow: Sendable, Equatable {
        var description: SegmentDescription
        var state: SegmentState
    }

    /// The single values of the table `meta`.
    enum Meta: String {
        case complete, format, identity, secret, start, flushedHigh, nextFileID, manifestVersion
        /// The CRC32C of all others and of the floors.
        case checksum
    }

    let number: Int
    let path: String
    private let connection: Connection
    /// Bytes that were put into the log since the last checkpoint, roughly.
    private(set) var loggedBytes = 0
    /// Whether the open transaction changes what `checksum` is over.
    private var isChecksumDue = false

    static func path(_ folder: String, _ number: Int) -> String {
        "\(folder)/hot-\(number).db"
    }

    /// Opens number `number` of `folder`. Its log must have been looked at before (``WriteAheadLog``): opening replays it.
    init(_ folder: String, number: Int, creating: Bool, fileSystem: SQLiteFileSystem) throws(SQLiteError) {
        self.number = number
        path = HotDatabase.path(folder, number)
        connection = try Connection(path, creating ? .create : .readWrite, fileSystem: fileSystem)
        if creating {
            try connection.pragma("page_size", "4096")
        }
        try connection.pragma("locking_mode", "EXCLUSIVE")
        try connection.pragma("journal_mode", "WAL")
        try connection.pragma("synchronous", "FULL")
        #if canImport(Darwin)
        try connection.pragma("fullfsync", "1")
        #endif
        try connection.pragma("wal_autocheckpoint", "0")
        try connection.pragma("secure_delete", "0")
        try connection.pragma("cache_size", "-16384")
        try connection.pragma("temp_store", "MEMORY")
        if creating {
            try connection.execute(HotDatabase.schema)
        }
    }

    /// Opens the copy of a damaged hot.db at `path`, only to read what can be read.
    init(salvaging path: String, number: Int, fileSystem: SQLiteFileSystem) throws(SQLiteError) {
        self.number = number
        self.path = path
        connection = try Connection(path, .immutable, fileSystem: fileSystem)
    }

    private static let pageSize = 4096

    /// Gives the copy of a damaged hot.db at `path` a new first page if the tables cannot be found by its own: all hot.dbs were made by the same statements, so that
    /// their tables begin at the same pages.
    static func restoreFirstPage(of path: String, fileSystem: SQLiteFileSystem) throws {
        do throws(SQLiteError) {
            let hot = try HotDatabase(salvaging: path, number: 0, fileSystem: fileSystem)
            _ = try hot.firstSequence(.redo, from: .zero)
            return try hot.close()
        } catch {
            guard error.isDamage else { throw error }
        }
        let files = fileSystem.layer
        let model = path + ".model"
        if try files.exists(model) { try files.unlink(model) }
        let connection = try Connection(model, .create, fileSystem: fileSystem)
        try connection.pragma("page_size", "\(pageSize)")
        try connection.pragma("journal_mode", "OFF")
        try connection.execute(schema)
        try connection.close()
        let page = Array(try files.contents(model, limit: 1 << 20).prefix(pageSize))
        try files.unlink(model)
        let file = try files.open(path, .readWrite)
        try files.write(file, at: 0, page.span)
        // How many pages there are, big-endian (https://www.sqlite.org/fileformat2.html#in_header_database_size).
        let count = UInt32(clamping: try files.size(file) / Int64(pageSize))
        let size = (0..<4 as Range<UInt32>).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
        try files.write(file, at: 28, size.span)
        try files.close(file)
    }

    private static let schema = """
        BEGIN;
        CREATE TABLE meta(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
        CREATE TABLE redo(seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE streams(seq INTEGER PRIMARY KEY, data BLOB NOT NULL);
        CREATE TABLE seen(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, data BLOB NOT NULL);
        CREATE TABLE segment(id INTEGER PRIMARY KEY, state INTEGER NOT NULL, data BLOB NOT NULL);
        CREATE TABLE tombstone(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, data BLOB NOT NULL);
        CREATE TABLE floor(signal INTEGER PRIMARY KEY, time INTEGER NOT NULL);
        CREATE TABLE family(name TEXT PRIMARY KEY, type INTEGER NOT NULL, unit TEXT NOT NULL, help TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE state(name TEXT PRIMARY KEY, seq INTEGER NOT NULL, data BLOB NOT NULL);
        COMMIT;
        """

    /// Blobs of hot.db stay below SQLite's own limit of 1e9 bytes.
    static let blobLimit = 1 << 30

    func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        isChecksumDue = false
        return try connection.transaction {
            let result = try body()
            if isChecksumDue { try updateChecksum() }
            return result
        }
    }

    /// Changes what `checksum` is over, in the open transaction or in one of its own.
    private func change(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        guard !isInTransaction else {
            try body()
            isChecksumDue = true
            return
        }
        do {
            try transaction {
                try body()
                isChecksumDue = true
            }
        } catch let error as SQLiteError {
            throw error
        } catch {
            throw SQLiteError(code: .error, message: "\(error)", file: path)
        }
    }

    private func updateChecksum() throws(SQLiteError) {
        let insert = try connection.prepare("INSERT OR REPLACE INTO meta VALUES(?, ?)")
        try insert.bind(1, Meta.checksum.rawValue)
        try insert.bind(2, Int64(try checksum()))
        try insert.run()
    }

    private func checksum() throws(SQLiteError) -> UInt32 {
        var text = ""
        for query in ["SELECT k, v FROM meta WHERE k <> 'checksum' ORDER BY k", "SELECT signal, time FROM floor ORDER BY signal"] {
            let select = try connection.prepare(query)
            while try select.step() { text += "\(select.text(0) ?? "") \(select.text(1) ?? "")\n" }
        }
        return CRC32C.checksum(Array(text.utf8).span)
    }

    /// What is wrong with the pages, or with values that no blob's checksum is over, although SQLite reads them; `nil` when nothing is.
    ///
    /// - Complexity: Reads all pages that are in use.
    func damage() throws(SQLiteError) -> String? {
        let answer = try connection.pragma("quick_check(1)")
        guard answer == "ok" else { return answer ?? "SQLite's check says nothing" }
        // Older ones have none.
        guard let stored = try meta(.checksum) else { return nil }
        return stored == Int64(try checksum()) ? nil : "the single values or floors do not match their checksum"
    }

    /// The format that the file at `path` says it has, as its last checkpoint left it; nothing is changed by asking. `nil` when that cannot be read or believed.
    static func format(_ path: String, fileSystem: SQLiteFileSystem) -> Int? {
        do throws(SQLiteError) {
            let hot = try HotDatabase(salvaging: path, number: 0, fileSystem: fileSystem)
            guard let stored = try hot.meta(.checksum), stored == Int64(try hot.checksum()) else { return nil }
            let format = try hot.meta(.format).map { Int($0) }
            try hot.close()
            return format
        } catch {
            // Whoever opens it in earnest meets the same error.
            return nil
        }
    }

    /// Whether a transaction is open.
    var isInTransaction: Bool { connection.isInTransaction }

    /// Bytes of the database's pages, and of these the free ones.
    func pageBytes() throws(SQLiteError) -> (all: Int64, free: Int64) {
        let size = Int64(try connection.pragma("page_size") ?? "") ?? 4096
        let all = Int64(try connection.pragma("page_count") ?? "") ?? 0
        let free = Int64(try connection.pragma("freelist_count") ?? "") ?? 0
        return (all * size, free * size)
    }

    /// Copies the log into the database and cuts it.
    func checkpoint() throws(SQLiteError) {
        try connection.checkpoint()
        loggedBytes = 0
    }

    func close() throws(SQLiteError) {
        try connection.close()
    }

    // MARK: Single values

    func meta(_ name: Meta) throws(SQLiteError) -> Int64? {
        let select = try connection.prepare("SELECT v FROM meta WHERE k = ?")
        try select.bind(1, name.rawValue)
        defer { select.reset() }
        return try select.step() ? select.int64(0) : nil
    }

    func metaText(_ name: Meta) throws(SQLiteError) -> String? {
        let select = try connection.prepare("SELECT v FROM meta WHERE k = ?")
        try select.bind(1, name.rawValue)
        defer { select.reset() }
        return try select.step() ? select.text(0) : nil
    }

    func setMeta(_ name: Meta, _ value: Int64) throws(SQLiteError) {
        try change { () throws(SQLiteError) in
            let insert = try connection.prepare("INSERT OR REPLACE INTO meta VALUES(?, ?)")
            try insert.bind(1, name.rawValue)
            try insert.bind(2, value)
            try insert.run()
        }
        loggedBytes += 4096
    }

    func setMeta(_ name: Meta, _ value: String) throws(SQLiteError) {
        try change { () throws(SQLiteError) in
            let insert = try connection.prepare("INSERT OR REPLACE INTO meta VALUES(?, ?)")
            try insert.bind(1, name.rawValue)
            try insert.bind(2, value)
            try insert.run()
        }
        loggedBytes += 4096
    }

    /// The store that this hot.db belongs to.
    func identity() throws(SQLiteError) -> StoreIdentity? {
        guard let id = try metaText(.identity).flatMap({ HotDatabase.halves($0) }),
            let secret = try metaText(.secret).flatMap({ HotDatabase.halves($0) })
        else { return nil }
        return StoreIdentity(high: id.0, low: id.1, secret: StreamSecret(high: secret.0, low: secret.1))
    }

    func setIdentity(_ identity: StoreIdentity) throws(SQLiteError) {
        try setMeta(.identity, identity.high.hexadecimal + identity.low.hexadecimal)
        try setMeta(.secret, identity.secret.high.hexadecimal + identity.secret.low.hexadecimal)
    }

    /// Two numbers from 32 hexadecimal digits.
    static func halves(_ text: String) -> (UInt64, UInt64)? {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16) else {
            return nil
        }
        return (high, low)
    }

    /// The highest commit whose rows are all in segment files.
    func flushedHigh() throws(SQLiteError) -> CommitSequence {
        CommitSequence(rawValue: UInt64(bitPattern: try meta(.flushedHigh) ?? 0))
    }

    // MARK: Redo, streams, request keys

    /// Tables of one blob a commit.
    enum Log: String {
        case redo, streams
    }

    func append(_ log: Log, _ sequence: CommitSequence, _ blob: consuming [UInt8]) throws(SQLiteError) {
        var blob = blob
        RowChecksum.seal(&blob, Int64(bitPattern: sequence.rawValue))
        let insert = try connection.prepare("INSERT INTO \(log.rawValue) VALUES(?, ?)")
        try insert.bind(1, Int64(bitPattern: sequence.rawValue))
        try insert.run(borrowing: blob.span, at: 2)
        loggedBytes += blob.count + 4096
    }

    /// The sequences in a log with the lengths of their blobs.
    func entries(_ log: Log) throws(SQLiteError) -> [(sequence: CommitSequence, byteCount: Int)] {
        let select = try connection.prepare("SELECT seq, length(data) FROM \(log.rawValue) ORDER BY seq")
        var entries: [(sequence: CommitSequence, byteCount: Int)] = []
        while try select.step() {
            entries.append((CommitSequence(rawValue: UInt64(bitPattern: select.int64(0))), Int(select.int64(1))))
        }
        return entries
    }

    /// The first sequence in a log that is not below `start`.
    func firstSequence(_ log: Log, from start: CommitSequence) throws(SQLiteError) -> CommitSequence? {
        let select = try connection.prepare("SELECT seq FROM \(log.rawValue) WHERE seq >= ? ORDER BY seq LIMIT 1")
        try select.bind(1, Int64(bitPattern: start.rawValue))
        defer { select.reset() }
        return try select.step() ? CommitSequence(rawValue: UInt64(bitPattern: select.int64(0))) : nil
    }

    func blob(_ log: Log, _ sequence: CommitSequence) throws(SQLiteError) -> [UInt8]? {
        let select = try connection.prepare("SELECT data FROM \(log.rawValue) WHERE seq = ?")
        try select.bind(1, Int64(bitPattern: sequence.rawValue))
        defer { select.reset() }
        guard try select.step() else { return nil }
        return RowChecksum.open(try select.blob(0, limit: HotDatabase.blobLimit), Int64(bitPattern: sequence.rawValue))
    }

    /// Deletes a log's rows up to and with `sequence`.
    func delete(_ log: Log, through sequence: CommitSequence) throws(SQLiteError) {
        let delete = try connection.prepare("DELETE FROM \(log.rawValue) WHERE seq <= ?")
        try delete.bind(1, Int64(bitPattern: sequence.rawValue))
        try delete.run()
        loggedBytes += 8192
    }

    /// Deletes a log's first rows up to and with `sequence`, as many as have about `byteLimit` bytes and one at least.
    ///
    /// - Returns: Whether none of them is left.
    func deleteFirst(_ log: Log, through sequence: CommitSequence, byteLimit: Int) throws(SQLiteError) -> Bool {
        let select = try connection.prepare("SELECT seq, length(data) FROM \(log.rawValue) WHERE seq <= ? ORDER BY seq")
        try select.bind(1, Int64(bitPattern: sequence.rawValue))
        var byteCount = 0
        var last: CommitSequence?
        var isLeft = false
        while try select.step() {
            guard byteCount < byteLimit else {
                isLeft = true
                break
            }
            last = CommitSequence(rawValue: UInt64(bitPattern: select.int64(0)))
            byteCount += Int(select.int64(1))
        }
        select.reset()
        if let last { try delete(log, through: last) }
        return !isLeft
    }

    func appendSeen(_ sequence: CommitSequence, time: Timestamp, _ blob: consuming [UInt8]) throws(SQLiteError) {
        var blob = blob
        RowChecksum.seal(&blob, Int64(bitPattern: sequence.rawValue), time.nanoseconds)
        let insert = try connection.prepare("INSERT INTO seen VALUES(?, ?, ?)")
        try insert.bind(1, Int64(bitPattern: sequence.rawValue))
        try insert.bind(2, time.nanoseconds)
        try insert.run(borrowing: blob.span, at: 3)
        loggedBytes += blob.count + 4096
    }

    func seen() throws(SQLiteError) -> [(sequence: CommitSequence, time: Timestamp, blob: [UInt8])] {
        let select = try connection.prepare("SELECT seq, time, data FROM seen ORDER BY seq")
        var rows: [(sequence: CommitSequence, time: Timestamp, blob: [UInt8])] = []
        while try select.step() {
            rows.append(
                (
                    CommitSequence(rawValue: UInt64(bitPattern: select.int64(0))), Timestamp(nanoseconds: select.int64(1)),
                    RowChecksum.open(try select.blob(2, limit: HotDatabase.blobLimit), select.int64(0), select.int64(1))
                ))
        }
        return rows
    }

    func deleteSeen(through sequence: CommitSequence) throws(SQLiteError) {
        let delete = try connection.prepare("DELETE FROM seen WHERE seq <= ?")
        try delete.bind(1, Int64(bitPattern: sequence.rawValue))
        try delete.run()
        loggedBytes += 8192
    }

    // MARK: Manifest

    func setSegment(_ description: SegmentDescription, _ state: SegmentState) throws(SQLiteError) {
        let insert = try connection.prepare("INSERT OR REPLACE INTO segment VALUES(?, ?, ?)")
        try insert.bind(1, Int64(bitPattern: description.fileID))
        try insert.bind(2, state.rawValue)
        var blob = SegmentRecord.encode(description)
        RowChecksum.seal(&blob, Int64(bitPattern: description.fileID), state.rawValue)
        try insert.run(borrowing: blob.span, at: 3)
        loggedBytes += blob.count + 4096
    }

    func setSegmentState(_ fileID: UInt64, _ state: SegmentState) throws(SQLiteError) {
        let select = try connection.prepare("SELECT state, data FROM segment WHERE id = ?")
        try select.bind(1, Int64(bitPattern: fileID))
        guard try select.step() else { return select.reset() }
        var blob = RowChecksum.open(try select.blob(1, limit: HotDatabase.blobLimit), Int64(bitPattern: fileID), select.int64(0))
        select.reset()
        RowChecksum.seal(&blob, Int64(bitPattern: fileID), state.rawValue)
        let update = try connection.prepare("UPDATE segment SET state = ?, data = ? WHERE id = ?")
        try update.bind(1, state.rawValue)
        try update.bind(3, Int64(bitPattern: fileID))
        try update.run(borrowing: blob.span, at: 2)
        loggedBytes += blob.count + 4096
    }

    func removeSegment(_ fileID: UInt64) throws(SQLiteError) {
        let delete = try connection.prepare("DELETE FROM segment WHERE id = ?")
        try delete.bind(1, Int64(bitPattern: fileID))
        try delete.run()
        loggedBytes += 4096
    }

    /// All rows of the manifest, by file id. A row that does not read makes the manifest useless.
    func segments() throws -> [SegmentRow] {
        let select = try connection.prepare("SELECT state, data, id FROM segment ORDER BY id")
        var rows: [SegmentRow] = []
        while try select.step() {
            guard let state = SegmentState(rawValue: select.int64(0)) else {
                throw ColumnError(.malformed("segment state \(select.int64(0))"), at: 0)
            }
            let blob = RowChecksum.open(try select.blob(1, limit: HotDatabase.blobLimit), select.int64(2), state.rawValue)
            rows.append(SegmentRow(description: try SegmentRecord.decode(blob.span), state: state))
        }
        return rows
    }

    // MARK: Tombstones

    func setTombstone(_ tombstone: Tombstone) throws(SQLiteError) {
        let insert = try connection.prepare("INSERT OR REPLACE INTO tombstone VALUES(?, ?, ?)")
        try insert.bind(1, Int64(bitPattern: tombstone.sequence.rawValue))
        try insert.bind(2, Int64(bitPattern: tombstone.sequence.rawValue))
        var blob = TombstoneRecord.encode(tombstone)
        RowChecksum.seal(&blob, Int64(bitPattern: tombstone.sequence.rawValue))
        try insert.run(borrowing: blob.span, at: 3)
        loggedBytes += blob.count + 4096
    }

    func removeTombstone(_ sequence: CommitSequence) throws(SQLiteError) {
        let delete = try connection.prepare("DELETE FROM tombstone WHERE id = ?")
        try delete.bind(1, Int64(bitPattern: sequence.rawValue))
        try delete.run()
        loggedBytes += 4096
    }

    /// All tombstones, oldest first. One that does not read makes hot.db useless, since its rows would come back; app.db has a copy.
    func tombstones() throws -> [Tombstone] {
        let select = try connection.prepare("SELECT seq, data FROM tombstone ORDER BY seq")
        var tombstones: [Tombstone] = []
        while try select.step() {
            let sequence = CommitSequence(rawValue: UInt64(bitPattern: select.int64(0)))
            let blob = RowChecksum.open(try select.blob(1, limit: HotDatabase.blobLimit), select.int64(0))
            tombstones.append(try TombstoneRecord.decode(blob.span, sequence: sequence))
        }
        return tombstones
    }

    // MARK: Floors, families, state

    func setFloor(_ signal: Signal, _ floor: Timestamp) throws(SQLiteError) {
        try change { () throws(SQLiteError) in
            let insert = try connection.prepare("INSERT OR REPLACE INTO floor VALUES(?, ?)")
            try insert.bind(1, Int64(signal.rawValue))
            try insert.bind(2, floor.nanoseconds)
            try insert.run()
        }
        loggedBytes += 4096
    }

    func floors() throws(SQLiteError) -> [Signal: Timestamp] {
        let select = try connection.prepare("SELECT signal, time FROM floor")
        var floors: [Signal: Timestamp] = [:]
        while try select.step() {
            if let signal = UInt8(exactly: select.int64(0)).flatMap({ Signal(rawValue: $0) }) {
                floors[signal] = Timestamp(nanoseconds: select.int64(1))
            }
        }
        return floors
    }

    func setFamily(_ family: MetricFamily, _ sequence: CommitSequence) throws(SQLiteError) {
        let insert = try connection.prepare("INSERT OR REPLACE INTO family VALUES(?, ?, ?, ?, ?)")
        try insert.bind(1, family.name)
        try insert.bind(2, Int64(family.kind.rawValue))
        try insert.bind(3, family.unit)
        try insert.bind(4, family.help)
        try insert.bind(5, Int64(bitPattern: sequence.rawValue))
        try insert.run()
        loggedBytes += 4096
    }

    func families() throws(SQLiteError) -> [MetricFamily] {
        let select = try connection.prepare("SELECT name, type, unit, help FROM family ORDER BY name")
        var families: [MetricFamily] = []
        while try select.step() {
            let kind = UInt8(exactly: select.int64(1)).flatMap { MetricFamily.Kind(rawValue: $0) } ?? .unknown
            families.append(MetricFamily(name: select.text(0) ?? "", kind: kind, unit: select.text(2) ?? "", help: select.text(3) ?? ""))
        }
        return families
    }

    func setState(_ name: String, _ sequence: CommitSequence, _ blob: consuming [UInt8]) throws(SQLiteError) {
        var blob = blob
        RowChecksum.seal(&blob, Int64(bitPattern: sequence.rawValue))
        let insert = try connection.prepare("INSERT OR REPLACE INTO state VALUES(?, ?, ?)")
        try insert.bind(1, name)
        try insert.bind(2, Int64(bitPattern: sequence.rawValue))
        try insert.run(borrowing: blob.span, at: 3)
        loggedBytes += blob.count + 4096
    }

    func state(_ name: String) throws(SQLiteError) -> (sequence: CommitSequence, blob: [UInt8])? {
        let select = try connection.prepare("SELECT seq, data FROM state WHERE name = ?")
        try select.bind(1, name)
        defer { select.reset() }
        guard try select.step() else { return nil }
        let blob = RowChecksum.open(try select.blob(1, limit: HotDatabase.blobLimit), select.int64(0))
        return (CommitSequence(rawValue: UInt64(bitPattern: select.int64(0))), blob)
    }
}

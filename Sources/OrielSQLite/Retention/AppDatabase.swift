import OrielStore
import OrielTelemetry

/// app.db: what must outlive a lost hot.db: the copies of the floors, that what expired does not come back, and the tokens.
///
/// It is opened for each change, which is rare, and closed again.
enum AppDatabase {
    private static let migrations = [
        "CREATE TABLE floor(signal INTEGER PRIMARY KEY, time INTEGER NOT NULL)",
        """
        CREATE TABLE token(
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, digest BLOB NOT NULL UNIQUE, scopes TEXT NOT NULL, tenant TEXT, requests INTEGER, queries INTEGER,
            ingest INTEGER, created INTEGER NOT NULL) WITHOUT ROWID
        """,
        "CREATE TABLE tombstone(seq INTEGER PRIMARY KEY, data BLOB NOT NULL, completed INTEGER)",
        """
        CREATE TABLE pin(id INTEGER PRIMARY KEY AUTOINCREMENT, note TEXT NOT NULL, data BLOB NOT NULL);
        CREATE TABLE pinfile(id INTEGER PRIMARY KEY AUTOINCREMENT, pin INTEGER NOT NULL, state INTEGER NOT NULL, data BLOB NOT NULL);
        """,
    ]

    /// The number of migrations that this version knows.
    static var format: Int { migrations.count }

    /// The number of migrations that the file at `path` has behind it as its header says, which closing leaves up to date; nothing is changed by asking.
    static func format(_ path: String, files: any FileLayer) throws(FileError) -> Int? {
        let file = try files.open(path, .readOnly)
        defer { files.closeAfterFailure(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        var span = bytes.mutableSpan
        guard try files.read(file, at: 0, into: &span) == 64, bytes.starts(with: "SQLite format 3\0".utf8) else { return nil }
        // The user version, big-endian at offset 60 (https://www.sqlite.org/fileformat2.html#user_version_number).
        return bytes[60...].reduce(0) { $0 << 8 | Int($1) }
    }

    /// Brings the file up to date and lets SQLite check it.
    static func check(_ folder: String, fileSystem: SQLiteFileSystem) throws {
        let connection = try open(folder, fileSystem: fileSystem)
        let answer = try connection.pragma("integrity_check(1)")
        try connection.close()
        guard answer == "ok" else {
            throw SQLiteError(code: .corrupt, message: answer ?? "SQLite's check says nothing", file: folder + "/app.db")
        }
    }

    /// Whether an error says that the file is not as it was written.
    static func isDamage(_ error: any Error) -> Bool {
        guard let error = error as? SQLiteError else { return false }
        return .corrupt ~= error.code || .notADatabase ~= error.code || .error ~= error.code
    }

    static func open(_ folder: String, fileSystem: SQLiteFileSystem) throws -> Connection {
        let connection = try Connection(folder + "/app.db", .create, fileSystem: fileSystem)
        try connection.pragma("locking_mode", "EXCLUSIVE")
        try connection.pragma("journal_mode", "WAL")
        try connection.pragma("synchronous", "FULL")
        try connection.pragma("temp_store", "MEMORY")
        let done = Int(try connection.pragma("user_version") ?? "0") ?? 0
        for number in migrations.indices where number >= done {
            try connection.transaction {
                try connection.execute(migrations[number])
                try connection.pragma("user_version", "\(number + 1)")
            }
        }
        return connection
    }

    /// Notes a floor, on the disk when this returns.
    static func saveFloor(_ signal: Signal, _ floor: Timestamp, core: StoreCore) throws {
        try core.withAppDatabase { connection in
            let insert = try connection.prepare("INSERT OR REPLACE INTO floor VALUES(?, ?)")
            try insert.bind(1, Int64(signal.rawValue))
            try insert.bind(2, floor.nanoseconds)
            try insert.run()
        }
    }

    /// The floors that were noted; none when the file is missing or cannot be read.
    static func floors(_ folder: String, files: any FileLayer, fileSystem: SQLiteFileSystem) throws -> [Signal: Timestamp] {
        guard try files.exists(folder + "/app.db") else { return [:] }
        let connection = try open(folder, fileSystem: fileSystem)
        let select = try connection.prepare("SELECT signal, time FROM floor")
        var floors: [Signal: Timestamp] = [:]
        while try select.step() {
            if let signal = UInt8(exactly: select.int64(0)).flatMap({ Signal(rawValue: $0) }) {
                floors[signal] = Timestamp(nanoseconds: select.int64(1))
            }
        }
        try connection.close()
        return floors
    }
}

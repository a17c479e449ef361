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

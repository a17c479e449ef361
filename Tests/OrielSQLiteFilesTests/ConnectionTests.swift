import Testing

@testable import OrielSQLite

struct ConnectionTests {
    private func open(_ folder: TemporaryFolder, _ mode: Connection.Mode = .create, interruption: Interruption? = nil) throws -> Connection {
        let fileSystem = SQLiteFileSystem(POSIXFileLayer())
        return try Connection(folder.path + "/a b?c%.db", mode, fileSystem: fileSystem, interruption: interruption)
    }

    /// Expects `body` to fail with `code` or a code of its kind.
    private func expect(_ code: SQLiteError.Code, _ body: () throws(SQLiteError) -> Void) {
        do {
            try body()
            Issue.record("nothing failed")
        } catch {
            #expect(code ~= error.code, "\(error)")
        }
    }

    @Test func valuesRoundTrip() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        try connection.execute("CREATE TABLE t(i, d, t, b, e, n)")
        let insert = try connection.prepare("INSERT INTO t VALUES(?, ?, ?, ?, ?, ?)")
        try insert.bind(1, Int64.min)
        try insert.bind(2, 1.5)
        try insert.bind(3, "naïve ✓")
        try insert.bind(5, [UInt8]())
        try insert.bindNull(6)
        let blob: [UInt8] = [0, 1, 255]
        try insert.run(borrowing: blob, at: 4)
        #expect(connection.changes == 1)

        let select = try connection.prepare("SELECT * FROM t")
        #expect(try select.step())
        #expect(select.int64(0) == .min)
        #expect(select.double(1) == 1.5)
        #expect(select.text(2) == "naïve ✓")
        #expect(try select.blob(3, limit: 3) == blob)
        #expect(!select.isNull(4))
        #expect(try select.blob(4, limit: 0) == [])
        #expect(select.isNull(5))
        #expect(select.withBlob(3) { $0.byteCount } == 3)
        #expect(throws: SQLiteError.self) { try select.blob(3, limit: 2) }
        #expect(try !select.step())
        try connection.close()
    }

    @Test func statementsAreKeptAndNestedOnesAreNew() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        try connection.execute("CREATE TABLE t(i); INSERT INTO t VALUES(1), (2)")
        let outer = try connection.prepare("SELECT i FROM t")
        #expect(try connection.prepare("SELECT i FROM t") === outer)
        #expect(try outer.step())
        let inner = try connection.prepare("SELECT i FROM t")
        #expect(inner !== outer)
        var count = 0
        while try inner.step() { count += 1 }
        #expect(count == 2)
        #expect(outer.int64(0) == 1)
    }

    @Test func errorsCarryCodeStatementAndFile() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        try connection.execute("CREATE TABLE t(i UNIQUE)")
        expect(.constraint) { () throws(SQLiteError) in try connection.execute("INSERT INTO t VALUES(1); INSERT INTO t VALUES(1)") }
        let error = try #require(throws: SQLiteError.self) { try connection.prepare("SELECT nothing FROM t") }
        #expect(error.code == .error)
        #expect(error.sql == "SELECT nothing FROM t")
        #expect(error.message.contains("nothing"))
        #expect(error.file.hasSuffix("a b?c%.db"))
    }

    @Test func missingFileSaysWhichOperationFailed() throws {
        let folder = try TemporaryFolder()
        let error = try #require(throws: SQLiteError.self) { try open(folder, .readWrite) }
        #expect(SQLiteError.Code.cannotOpen ~= error.code)
        #expect(error.cause?.operation == .open)
        #expect(error.cause?.isMissing == true)
    }

    @Test func transactionsRollBackAndFailedOnesLeaveTheConnectionUsable() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        try connection.execute("CREATE TABLE t(i)")
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try connection.transaction {
                try connection.execute("INSERT INTO t VALUES(1)")
                throw Stop()
            }
        }
        #expect(!connection.isInTransaction)
        try connection.transaction { try connection.execute("INSERT INTO t VALUES(2)") }
        let count = try connection.prepare("SELECT count(*), max(i) FROM t")
        #expect(try count.step())
        #expect(count.int64(0) == 1 && count.int64(1) == 2)
    }

    @Test func checkpointCutsTheLog() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        try connection.pragma("locking_mode", "EXCLUSIVE")
        #expect(try connection.pragma("journal_mode", "WAL") == "wal")
        try connection.pragma("wal_autocheckpoint", "0")
        try connection.execute("CREATE TABLE t(b); INSERT INTO t VALUES(zeroblob(50000))")
        let log = connection.path + "-wal"
        #expect(try POSIXFileLayer().status(log)?.size ?? 0 > 50_000)
        let result = try connection.checkpoint()
        #expect(result == .init(logged: 0, copied: 0) || result.logged == result.copied)
        #expect(try POSIXFileLayer().status(log)?.size == 0)
        try connection.close()
        #expect(try !POSIXFileLayer().exists(log))
    }

    @Test func onlyOneConnectionOpensAnExclusiveDatabase() throws {
        let folder = try TemporaryFolder()
        let connection = try open(folder)
        try connection.pragma("locking_mode", "EXCLUSIVE")
        try connection.pragma("journal_mode", "WAL")
        try connection.execute("CREATE TABLE t(b)")
        let second = try open(folder, .readWrite)
        expect(.busy) { () throws(SQLiteError) in try second.execute("SELECT * FROM t") }
        // SQLite's own file layer honours the lock as well: its locks belong to the process, ours to the open file, and the two conflict.
        #expect(throws: SQLiteError.self) { try second.execute("INSERT INTO t VALUES(1)") }
    }

    @Test func immutableReadersShareAFile() throws {
        let folder = try TemporaryFolder()
        let writer = try open(folder)
        try writer.pragma("page_size", "16384")
        try writer.pragma("journal_mode", "OFF")
        try writer.execute("CREATE TABLE col(id INTEGER PRIMARY KEY, data BLOB)")
        let insert = try writer.prepare("INSERT INTO col VALUES(?, ?)")
        for id in 1...3 {
            try insert.bind(1, Int64(id))
            try insert.run(borrowing: (0..<(id * 10_000)).map { Self.byte($0, of: id) }, at: 2)
        }
        try writer.close()
        let first = try open(folder, .immutable)
        let second = try open(folder, .immutable)
        var buffer: [UInt8] = []
        for connection in [first, second] {
            let reader = connection.blobReader(table: "col", column: "data")
            for id in [2, 1, 3] {
                #expect(try reader.read(row: Int64(id), limit: 30_000, into: &buffer))
                #expect(buffer == (0..<(id * 10_000)).map { Self.byte($0, of: id) })
            }
            #expect(try !reader.read(row: 9, limit: 30_000, into: &buffer))
            #expect(try reader.read(row: 3, offset: 29_990, count: 10, into: &buffer))
            #expect(buffer == (29_990..<30_000).map { Self.byte($0, of: 3) })
            #expect(throws: SQLiteError.self) { try reader.read(row: 3, offset: 29_990, count: 11, into: &buffer) }
            #expect(throws: SQLiteError.self) { try reader.read(row: 3, limit: 29_999, into: &buffer) }
            // Part after part of one value, forwards and backwards, from the beginning again, and after what failed.
            for offset in [0, 4_000, 8_000, 29_000, 12_000, 12_000, 0] {
                #expect(try reader.read(row: 3, offset: offset, count: 1_000, into: &buffer))
                #expect(buffer == (offset..<(offset + 1_000)).map { Self.byte($0, of: 3) })
            }
            #expect(try !reader.read(row: 9, offset: 0, count: 1, into: &buffer))
            #expect(try reader.read(row: 3, offset: 20_000, count: 1_000, into: &buffer))
            #expect(buffer == (20_000..<21_000).map { Self.byte($0, of: 3) })
        }
        #expect(throws: SQLiteError.self) { try first.execute("DELETE FROM col") }
    }

    /// A byte of a value that tells its place.
    private static func byte(_ offset: Int, of id: Int) -> UInt8 { UInt8(truncatingIfNeeded: offset &* 31 &+ offset / 251 &+ id) }

    @Test func interruptionStopsARunningStatement() throws {
        let folder = try TemporaryFolder()
        let interruption = Interruption()
        let connection = try open(folder, interruption: interruption)
        interruption.interrupt()
        expect(.interrupted) { () throws(SQLiteError) in
            try connection.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
        }
        interruption.clear()
        try connection.execute("SELECT 1")
    }
}

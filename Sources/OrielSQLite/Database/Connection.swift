import CSQLite
import Synchronization

/// One connection to one database, opened without SQLite's own mutexes.
///
/// It is a class that is not `Sendable`: it is used by one thread at a time, and the compiler keeps it there. It may be handed from thread to
/// thread (`sending`), as a pool of readers does. Statements are prepared once and kept.
///
/// The unsafe parts of the C interface stay in this file, `Statement.swift` and `BlobReader.swift`.
@safe
final class Connection {
    /// How a database file is opened.
    enum Mode: Sendable {
        /// Read and write; the file is made when it is missing.
        case create
        /// Read and write an existing file.
        case readWrite
        /// Read an existing file that others may write.
        case readOnly
        /// Read a file that nobody will ever write again: no locks, no log, no checks for change.
        case immutable
    }

    /// What `checkpoint` found and did, in frames (pages) of the log.
    struct Checkpoint: Equatable, Sendable {
        /// Frames in the log, -1 when the database has none.
        var logged: Int
        /// Frames of these that are in the database file.
        var copied: Int
    }

    /// The path of the database file.
    let path: String
    let handle: DatabaseHandle
    private var statements: [String: Statement] = [:]

    /// Opens the database at `path`, an absolute path.
    ///
    /// - Parameters:
    ///   - fileSystem: What SQLite's file operations go through. It lives at least as long as the connection.
    ///   - interruption: Stops what the connection does from another thread.
    init(
        _ path: String, _ mode: Mode, fileSystem: SQLiteFileSystem, interruption: Interruption? = nil
    ) throws(SQLiteError) {
        self.path = path
        handle = try DatabaseHandle(path, mode, fileSystem: fileSystem, interruption: interruption)
    }

    /// The version of the C library in use, such as "3.40.1".
    static var libraryVersion: String {
        unsafe String(cString: sqlite3_libversion())
    }

    /// Executes one or several statements that return nothing of interest.
    func execute(_ sql: String) throws(SQLiteError) {
        let code = unsafe sqlite3_exec(handle.pointer, sql, nil, nil, nil)
        guard code == SQLITE_OK else {
            throw handle.error(code, sql: sql)
        }
    }

    /// Sets `name` to `value` and returns what SQLite then answers: the value in force, or `nil` when it answers nothing.
    @discardableResult
    func pragma(_ name: String, _ value: String? = nil) throws(SQLiteError) -> String? {
        let statement = try Statement(handle, value.map { "PRAGMA \(name)=\($0)" } ?? "PRAGMA \(name)", isKept: false)
        return try statement.step() ? statement.text(0) : nil
    }

    /// The statement for `sql`, ready to be bound: a kept one that is not running, else a new one.
    func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        if let kept = statements[sql] {
            if !kept.isRunning {
                kept.reset()
                return kept
            }
            return try Statement(handle, sql, isKept: false)
        }
        let statement = try Statement(handle, sql, isKept: true)
        statements[sql] = statement
        return statement
    }

    /// Runs `body` in one transaction: committed when it returns, rolled back when it throws or the commit fails.
    ///
    /// A failed `COMMIT` leaves open whether the disk holds the transaction; who needs to know must stop writing (STORAGE.md, section 5).
    func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        try prepare("BEGIN IMMEDIATE").run()
        do {
            let result = try body()
            try prepare("COMMIT").run()
            return result
        } catch {
            if isInTransaction {
                do {
                    try prepare("ROLLBACK").run()
                } catch let rollback {
                    // The first error says what went wrong; the connection is unusable either way, which its next use reports.
                    _ = rollback
                }
            }
            throw error
        }
    }

    /// Whether a transaction is open.
    var isInTransaction: Bool {
        unsafe sqlite3_get_autocommit(handle.pointer) == 0
    }

    /// How many rows the last statement inserted, updated or deleted.
    var changes: Int {
        Int(unsafe sqlite3_changes64(handle.pointer))
    }

    /// Copies the whole write-ahead log into the database, synchronises it and cuts the log to no bytes.
    @discardableResult
    func checkpoint() throws(SQLiteError) -> Checkpoint {
        var logged: Int32 = 0
        var copied: Int32 = 0
        let code = unsafe sqlite3_wal_checkpoint_v2(handle.pointer, nil, SQLITE_CHECKPOINT_TRUNCATE, &logged, &copied)
        guard code == SQLITE_OK else {
            throw handle.error(code, sql: "checkpoint")
        }
        return Checkpoint(logged: Int(logged), copied: Int(copied))
    }

    /// A reader of single values of `column` in `table` by row id, without SQL.
    func blobReader(table: String, column: String) -> BlobReader {
        BlobReader(handle, table: table, column: column)
    }

    /// Finishes all kept statements and closes the database. A connection that is not closed closes when it is released, but nobody hears of errors.
    ///
    /// - Throws: `busy` when a blob reader of this connection, or a statement that was not kept, is still alive.
    func close() throws(SQLiteError) {
        for statement in statements.values {
            statement.finish()
        }
        statements = [:]
        try handle.close()
    }
}

/// Stops the work of a connection from another thread: SQLite looks at it every thousand steps of its machine.
final class Interruption: Sendable {
    private let flag = Atomic(false)

    /// Makes the running statement, and each later one, fail with `interrupted`.
    func interrupt() {
        flag.store(true, ordering: .relaxed)
    }

    /// Lets statements run again.
    func clear() {
        flag.store(false, ordering: .relaxed)
    }

    var isInterrupted: Bool {
        flag.load(ordering: .relaxed)
    }
}

/// The C handle of an open database, closed when its last user (connection, statement, blob reader) is gone.
@safe
final class DatabaseHandle {
    /// Valid as long as this object; all calls come from the one thread that holds the connection.
    let pointer: OpaquePointer
    let path: String
    private let fileSystem: SQLiteFileSystem
    private let interruption: Interruption?
    private var isClosed = false

    init(
        _ path: String, _ mode: Connection.Mode, fileSystem: SQLiteFileSystem, interruption: Interruption?
    ) throws(SQLiteError) {
        let flags: Int32 =
            switch mode {
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .readWrite: SQLITE_OPEN_READWRITE
            case .readOnly, .immutable: SQLITE_OPEN_READONLY
            }
        var name = path
        if mode == .immutable {
            name = "file:" + Self.escaped(path) + "?immutable=1"
        }
        let uri = mode == .immutable ? SQLITE_OPEN_URI : 0
        var opened: OpaquePointer?
        let code = unsafe sqlite3_open_v2(name, &opened, flags | uri | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, fileSystem.name)
        guard code == SQLITE_OK, let opened = unsafe opened else {
            let message = unsafe opened.map { unsafe String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            unsafe sqlite3_close(opened)
            throw SQLiteError(
                code: .init(rawValue: code), message: message, file: path, cause: fileSystem.takeLastError())
        }
        unsafe pointer = opened
        self.path = path
        self.fileSystem = fileSystem
        self.interruption = interruption
        if let interruption {
            // The pointer is valid while the handler is set: this object keeps the interruption until it has closed the database.
            let context = unsafe Unmanaged.passUnretained(interruption).toOpaque()
            unsafe sqlite3_progress_handler(
                opened, 1000,
                { context in
                    guard let context = unsafe context else { return 0 }
                    return unsafe Unmanaged<Interruption>.fromOpaque(context).takeUnretainedValue().isInterrupted ? 1 : 0
                }, context)
        }
    }

    deinit {
        if !isClosed {
            // Every statement and blob reader holds this object, so none is left and the close cannot be refused.
            unsafe sqlite3_close_v2(pointer)
        }
    }

    func close() throws(SQLiteError) {
        guard !isClosed else { return }
        let code = unsafe sqlite3_close(pointer)
        guard code == SQLITE_OK else {
            throw error(code, sql: "close")
        }
        isClosed = true
    }

    /// The error that the last call on this connection left, with `code` as it returned it.
    func error(_ code: Int32, sql: String?) -> SQLiteError {
        guard !isClosed else {
            return SQLiteError(code: .misuse, message: "the connection is closed", sql: sql, file: path)
        }
        let extended = unsafe sqlite3_extended_errcode(pointer)
        let message = unsafe String(cString: sqlite3_errmsg(pointer))
        let chosen = extended & 0xFF == code & 0xFF ? extended : code
        let cause: FileError? =
            switch code & 0xFF {
            case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_FULL: fileSystem.takeLastError()
            default: nil
            }
        return SQLiteError(code: .init(rawValue: chosen), message: message, sql: sql, file: path, cause: cause)
    }

    /// `path` as it stands in a `file:` URI.
    private static func escaped(_ path: String) -> String {
        var escaped = ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += digits.utf8.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return escaped
    }
}

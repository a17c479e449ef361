import CSQLite

/// A prepared statement of one connection. Parameters count from 1, columns from 0, as in SQLite.
///
/// It is confined to the connection's thread. A statement that is done or failed is reset at once, so that it never holds a read lock longer than
/// it is stepped.
@safe
final class Statement {
    private let handle: DatabaseHandle
    /// Valid until `finish` takes it away; SQLite answers a statement of no address with `misuse`.
    private var pointer: OpaquePointer?
    let sql: String
    /// Whether a row was read and the statement not yet reset.
    private(set) var isRunning = false

    init(_ handle: DatabaseHandle, _ sql: String, isKept: Bool) throws(SQLiteError) {
        var prepared: OpaquePointer?
        let flags = isKept ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        let code = unsafe sqlite3_prepare_v3(handle.pointer, sql, -1, flags, &prepared, nil)
        guard code == SQLITE_OK else {
            throw handle.error(code, sql: sql)
        }
        guard let prepared = unsafe prepared else {
            throw SQLiteError(code: .misuse, message: "the text holds no statement", sql: sql, file: handle.path)
        }
        self.handle = handle
        unsafe pointer = prepared
        self.sql = sql
    }

    deinit {
        unsafe sqlite3_finalize(pointer)
    }

    /// Gives the statement up; whoever still holds it gets `misuse` from it.
    func finish() {
        unsafe sqlite3_finalize(pointer)
        unsafe pointer = nil
        isRunning = false
    }

    // MARK: Parameters

    func bind(_ index: Int, _ value: Int64) throws(SQLiteError) {
        try check(unsafe sqlite3_bind_int64(pointer, Int32(truncatingIfNeeded: index), value))
    }

    func bind(_ index: Int, _ value: Double) throws(SQLiteError) {
        try check(unsafe sqlite3_bind_double(pointer, Int32(truncatingIfNeeded: index), value))
    }

    func bindNull(_ index: Int) throws(SQLiteError) {
        try check(unsafe sqlite3_bind_null(pointer, Int32(truncatingIfNeeded: index)))
    }

    /// Binds a copy of `text`.
    func bind(_ index: Int, _ text: String) throws(SQLiteError) {
        try check(unsafe sqlite3_bind_text(pointer, Int32(truncatingIfNeeded: index), text, -1, Self.transient))
    }

    /// Binds a copy of `bytes`. `run(borrowing:at:)` does without the copy.
    func bind(_ index: Int, _ bytes: Span<UInt8>) throws(SQLiteError) {
        let code = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe Self.bind(pointer, index, buffer, Self.transient)
        }
        try check(code)
    }

    // MARK: Running

    /// Runs to the end, ignoring rows, and resets.
    func run() throws(SQLiteError) {
        while try step() {}
    }

    /// Runs to the end with `bytes` as parameter `index`, without a copy of them.
    func run(borrowing bytes: Span<UInt8>, at index: Int) throws(SQLiteError) {
        let failure: SQLiteError? = unsafe bytes.withUnsafeBufferPointer { buffer in
            // The bytes are bound without a copy only until this closure returns: the statement is stepped, reset and unbound inside it.
            defer { unsafe sqlite3_bind_null(pointer, Int32(truncatingIfNeeded: index)) }
            do throws(SQLiteError) {
                try check(unsafe Self.bind(pointer, index, buffer, nil))
                try run()
                return nil
            } catch {
                return error
            }
        }
        if let failure {
            throw failure
        }
    }

    /// Steps to the next row; `false` at the end, which also resets the statement.
    func step() throws(SQLiteError) -> Bool {
        let code = unsafe sqlite3_step(pointer)
        switch code {
        case SQLITE_ROW:
            isRunning = true
            return true
        case SQLITE_DONE:
            reset()
            return false
        default:
            let error = handle.error(code, sql: sql)
            reset()
            throw error
        }
    }

    /// Makes the statement ready to run anew; parameters keep their values.
    func reset() {
        // Returns the error of the last step again, which was thrown then.
        unsafe sqlite3_reset(pointer)
        isRunning = false
    }

    // MARK: Columns of the current row

    var columnCount: Int {
        Int(unsafe sqlite3_column_count(pointer))
    }

    func isNull(_ column: Int) -> Bool {
        unsafe sqlite3_column_type(pointer, Int32(truncatingIfNeeded: column)) == SQLITE_NULL
    }

    /// The value as an integer; 0 for NULL, and SQLite's conversion of other types.
    func int64(_ column: Int) -> Int64 {
        unsafe sqlite3_column_int64(pointer, Int32(truncatingIfNeeded: column))
    }

    /// The value as a number; 0 for NULL, and SQLite's conversion of other types.
    func double(_ column: Int) -> Double {
        unsafe sqlite3_column_double(pointer, Int32(truncatingIfNeeded: column))
    }

    /// The value as text, `nil` for NULL. Invalid UTF-8 is repaired.
    func text(_ column: Int) -> String? {
        guard let text = unsafe sqlite3_column_text(pointer, Int32(truncatingIfNeeded: column)) else {
            return nil
        }
        return unsafe String(cString: text)
    }

    /// A copy of the value's bytes, empty for NULL.
    ///
    /// - Parameter limit: The largest length that makes sense; more is `tooBig`, found before anything is allocated.
    func blob(_ column: Int, limit: Int) throws(SQLiteError) -> [UInt8] {
        let index = Int32(truncatingIfNeeded: column)
        let count = Int(unsafe sqlite3_column_bytes(pointer, index))
        guard count <= limit else {
            throw SQLiteError(
                code: .tooBig, message: "column \(column) holds \(count) bytes, at most \(limit) are allowed", sql: sql, file: handle.path)
        }
        guard let start = unsafe sqlite3_column_blob(pointer, index) else {
            guard count == 0 else {
                throw handle.error(SQLITE_NOMEM, sql: sql)
            }
            return []
        }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Gives `body` the value's bytes where SQLite holds them, valid during the call only; none for NULL.
    func withBlob<Result>(_ column: Int, _ body: (RawSpan) throws -> Result) rethrows -> Result {
        let index = Int32(truncatingIfNeeded: column)
        let count = Int(unsafe sqlite3_column_bytes(pointer, index))
        let start = unsafe sqlite3_column_blob(pointer, index)
        // The row stays current, and with it the memory, as long as nobody steps the statement, which the caller's closure must not do.
        return try body(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)))
    }

    // MARK: -

    /// Tells SQLite to copy what is bound (the C macro SQLITE_TRANSIENT, a pointer of all ones).
    private static var transient: sqlite3_destructor_type {
        unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    /// Binds `buffer` as a blob; an empty one is an empty blob, not NULL.
    private static func bind(
        _ pointer: OpaquePointer?, _ index: Int, _ buffer: UnsafeBufferPointer<UInt8>, _ destructor: sqlite3_destructor_type?
    ) -> Int32 {
        guard let start = buffer.baseAddress, !buffer.isEmpty else {
            return unsafe sqlite3_bind_zeroblob(pointer, Int32(truncatingIfNeeded: index), 0)
        }
        return unsafe sqlite3_bind_blob64(pointer, Int32(truncatingIfNeeded: index), start, UInt64(buffer.count), destructor)
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else {
            throw handle.error(code, sql: sql)
        }
    }
}

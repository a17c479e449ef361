import CSQLite

/// Reads values of one column by row id through SQLite's incremental interface, which is faster than a SELECT for small values and can read a part.
///
/// For databases that nobody writes while the reader lives: it stays at the row that it read last, where SQLite knows of the value's pages those that were visited. To
/// find them again for each of several parts, all pages before the part would be read.
@safe
final class BlobReader {
    private let handle: DatabaseHandle
    private let table: String
    private let column: String
    /// The open value; SQLite allows it to be moved to another row, until that fails.
    private var pointer: OpaquePointer?
    /// The row of the open value.
    private var current: Int64?

    init(_ handle: DatabaseHandle, table: String, column: String) {
        self.handle = handle
        self.table = table
        self.column = column
    }

    deinit {
        unsafe sqlite3_blob_close(pointer)
    }

    /// Reads the whole value of row `row` into `buffer`, replacing what it holds.
    ///
    /// - Returns: Whether there is such a row.
    /// - Throws: `tooBig` when it has more than `limit` bytes, before anything is allocated.
    func read(row: Int64, limit: Int, into buffer: inout [UInt8]) throws(SQLiteError) -> Bool {
        guard let count = try open(row: row) else {
            return false
        }
        guard count <= limit else {
            throw SQLiteError(
                code: .tooBig, message: "row \(row) of \(table) holds \(count) bytes, at most \(limit) are allowed", file: handle.path)
        }
        try copy(offset: 0, count: count, into: &buffer)
        return true
    }

    /// Reads `count` bytes of row `row` from `offset` into `buffer`, replacing what it holds.
    ///
    /// - Returns: Whether there is such a row.
    /// - Throws: `corrupt` when the value is shorter.
    func read(row: Int64, offset: Int, count: Int, into buffer: inout [UInt8]) throws(SQLiteError) -> Bool {
        guard let available = try open(row: row) else {
            return false
        }
        guard offset >= 0, count >= 0, offset <= available, count <= available - offset else {
            throw SQLiteError(
                code: .corrupt, message: "row \(row) of \(table) holds \(available) bytes; \(count) were wanted from \(offset)",
                file: handle.path)
        }
        try copy(offset: offset, count: count, into: &buffer)
        return true
    }

    /// Moves to `row` and returns its length, `nil` when there is no such row.
    private func open(row: Int64) throws(SQLiteError) -> Int? {
        if current == row { return Int(unsafe sqlite3_blob_bytes(pointer)) }
        current = nil
        let code: Int32
        if unsafe pointer != nil {
            code = unsafe sqlite3_blob_reopen(pointer, row)
        } else {
            code = unsafe sqlite3_blob_open(handle.pointer, "main", table, column, row, 0, &pointer)
        }
        if code == SQLITE_OK {
            current = row
            return Int(unsafe sqlite3_blob_bytes(pointer))
        }
        let error = handle.error(code, sql: nil)
        unsafe sqlite3_blob_close(pointer)
        unsafe pointer = nil
        if code & 0xFF == SQLITE_ERROR, error.message.hasPrefix("no such rowid") {
            return nil
        }
        throw error
    }

    private func copy(offset: Int, count: Int, into buffer: inout [UInt8]) throws(SQLiteError) {
        buffer.removeAll(keepingCapacity: true)
        guard count > 0 else {
            return
        }
        var code = SQLITE_OK
        // SQLite fills the room that is asked for here or leaves it all, and checks that the value has `offset + count` bytes.
        buffer.append(addingCapacity: count) { output in
            unsafe output.withUnsafeMutableBufferPointer { bytes, initialized in
                code = unsafe sqlite3_blob_read(pointer, bytes.baseAddress, Int32(truncatingIfNeeded: count), Int32(truncatingIfNeeded: offset))
                if code == SQLITE_OK { initialized = count }
            }
        }
        guard code == SQLITE_OK else {
            current = nil
            throw handle.error(code, sql: nil)
        }
    }
}

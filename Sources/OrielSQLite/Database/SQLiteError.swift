import CSQLite

/// A failure that SQLite reported, with all that is known about it.
///
/// A `switch` over `code` matches the primary or the extended code: `case .corrupt` matches every kind of corruption,
/// `case .inputOutputSynchronize` only a failed `fsync`.
struct SQLiteError: Error, Sendable, CustomStringConvertible {
    /// A result code of the C library (https://www.sqlite.org/rescode.html). The low byte of an extended code is its primary code.
    struct Code: RawRepresentable, Hashable, Sendable {
        let rawValue: Int32

        init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// The primary code that this code refines, or this code itself.
        var primary: Code { Code(rawValue: rawValue & 0xFF) }

        static let ok = Code(rawValue: SQLITE_OK)
        static let inputOutputNoMemory = Code(rawValue: SQLITE_IOERR | (12 << 8))
        static let busy = Code(rawValue: SQLITE_BUSY)
        static let interrupted = Code(rawValue: SQLITE_INTERRUPT)
        static let inputOutput = Code(rawValue: SQLITE_IOERR)
        static let inputOutputRead = Code(rawValue: SQLITE_IOERR | (1 << 8))
        static let inputOutputShortRead = Code(rawValue: SQLITE_IOERR | (2 << 8))
        static let inputOutputWrite = Code(rawValue: SQLITE_IOERR | (3 << 8))
        static let inputOutputSynchronize = Code(rawValue: SQLITE_IOERR | (4 << 8))
        static let inputOutputTruncate = Code(rawValue: SQLITE_IOERR | (6 << 8))
        static let inputOutputStatus = Code(rawValue: SQLITE_IOERR | (7 << 8))
        static let inputOutputDelete = Code(rawValue: SQLITE_IOERR | (10 << 8))
        static let inputOutputAccess = Code(rawValue: SQLITE_IOERR | (13 << 8))
        static let inputOutputLock = Code(rawValue: SQLITE_IOERR | (15 << 8))
        static let inputOutputDirectorySynchronize = Code(rawValue: SQLITE_IOERR | (5 << 8))
        static let inputOutputDeleteMissing = Code(rawValue: SQLITE_IOERR | (23 << 8))
        static let corrupt = Code(rawValue: SQLITE_CORRUPT)
        static let notADatabase = Code(rawValue: SQLITE_NOTADB)
        static let full = Code(rawValue: SQLITE_FULL)
        static let cannotOpen = Code(rawValue: SQLITE_CANTOPEN)
        static let constraint = Code(rawValue: SQLITE_CONSTRAINT)
        static let tooBig = Code(rawValue: SQLITE_TOOBIG)
        static let misuse = Code(rawValue: SQLITE_MISUSE)
        static let mismatch = Code(rawValue: SQLITE_MISMATCH)
        static let notFound = Code(rawValue: SQLITE_NOTFOUND)
        static let error = Code(rawValue: SQLITE_ERROR)

        /// Whether `code` is `pattern`, or of its kind when `pattern` is a primary code.
        static func ~= (pattern: Code, code: Code) -> Bool {
            pattern == code || pattern == code.primary
        }
    }

    /// The extended result code.
    let code: Code
    /// What SQLite, or the check that failed, says about it.
    let message: String
    /// The statement that failed, when there was one.
    let sql: String?
    /// The path of the database.
    let file: String
    /// The file operation below it that failed, when it was one.
    let cause: FileError?

    init(code: Code, message: String, sql: String? = nil, file: String, cause: FileError? = nil) {
        self.code = code
        self.message = message
        self.sql = sql
        self.file = file
        self.cause = cause
    }

    /// Whether a database that is only read lacks what was written into it, or cannot give it; not when memory or file descriptors ran out.
    var isDamage: Bool {
        switch code {
        case .inputOutputNoMemory: false
        case .corrupt, .notADatabase, .inputOutput, .tooBig, .mismatch: true
        // A table that is missing, or a value of another type.
        case .error: true
        case .cannotOpen: cause?.isMissing ?? false
        default: false
        }
    }

    var description: String {
        var text = "\(file): SQLite error \(code.rawValue): \(message)"
        if let cause {
            text += " (\(cause))"
        }
        if let sql {
            text += " in \"\(sql.prefix(200))\""
        }
        return text
    }
}

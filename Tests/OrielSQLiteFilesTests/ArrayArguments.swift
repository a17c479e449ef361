@testable import OrielSQLite

// Arrays where the module takes spans: a literal has no span of its own.

extension FileLayer {
    func write(_ file: OpenFile, at offset: Int64, _ bytes: [UInt8]) throws(FileError) {
        try write(file, at: offset, bytes.span)
    }
}

extension Statement {
    func bind(_ index: Int, _ bytes: [UInt8]) throws(SQLiteError) {
        try bind(index, bytes.span)
    }

    func run(borrowing bytes: [UInt8], at index: Int) throws(SQLiteError) {
        try run(borrowing: bytes.span, at: index)
    }
}

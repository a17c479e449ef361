import OrielStore
import OrielTelemetry

/// Pins and the list of their files. A file is entered before it is made, as in the manifest of hot.db.
extension AppDatabase {
    enum PinFileState: Int64, Sendable {
        /// Entered before the file is made.
        case writing = 1
        case live = 2
        /// To be unlinked; the row goes after that.
        case dead = 3
    }

    struct PinFileRow: Sendable {
        var id: UInt64
        var pin: UInt64
        var state: PinFileState
        /// What the file says about itself; `nil` while it is being written.
        var description: SegmentDescription?
    }

    /// What changes when a pin is made, given up or written anew: one transaction.
    struct PinChange: Sendable {
        /// Its id is given out by the transaction, and those of its files say 0.
        var made: KeptPin?
        var removed: UInt64?
        /// Files that are live from now on.
        var written: [PinFiles.Opened] = []
        /// Files that are dead from now on.
        var dead: [UInt64] = []
    }

    static func pins(_ connection: Connection) throws -> [KeptPin] {
        let select = try connection.prepare("SELECT id, note, data FROM pin ORDER BY id")
        var pins: [KeptPin] = []
        while try select.step() {
            let blob = try select.blob(2, limit: HotDatabase.blobLimit)
            pins.append(try PinRecord.decode(blob.span, id: UInt64(bitPattern: select.int64(0)), note: select.text(1) ?? ""))
        }
        return pins
    }

    static func pinFiles(_ connection: Connection) throws -> [PinFileRow] {
        let select = try connection.prepare("SELECT id, pin, state, data FROM pinfile ORDER BY id")
        var rows: [PinFileRow] = []
        while try select.step() {
            guard let state = PinFileState(rawValue: select.int64(2)) else {
                throw ColumnError(.malformed("state \(select.int64(2)) of a pin's file"), at: 0)
            }
            let blob = try select.blob(3, limit: HotDatabase.blobLimit)
            rows.append(
                PinFileRow(
                    id: UInt64(bitPattern: select.int64(0)), pin: UInt64(bitPattern: select.int64(1)), state: state,
                    description: blob.isEmpty ? nil : try SegmentRecord.decode(blob.span)))
        }
        return rows
    }

    /// Enters a file that is to be written; returns its id, which is never given out again.
    static func enterPinFile(_ connection: Connection) throws -> UInt64 {
        let insert = try connection.prepare("INSERT INTO pinfile(pin, state, data) VALUES(0, 1, x'') RETURNING id")
        var id: UInt64 = 0
        while try insert.step() { id = UInt64(bitPattern: insert.int64(0)) }
        return id
    }

    /// Enters a file that was found without a row.
    static func adoptPinFile(_ description: SegmentDescription, pin: UInt64, _ connection: Connection) throws {
        let insert = try connection.prepare("INSERT OR REPLACE INTO pinfile(id, pin, state, data) VALUES(?, ?, 2, ?)")
        try insert.bind(1, Int64(bitPattern: description.fileID))
        try insert.bind(2, Int64(bitPattern: pin))
        let blob = SegmentRecord.encode(description)
        try insert.run(borrowing: blob.span, at: 3)
    }

    static func removePinFiles(_ ids: [UInt64], _ connection: Connection) throws {
        guard !ids.isEmpty else { return }
        try connection.transaction {
            for id in ids {
                let delete = try connection.prepare("DELETE FROM pinfile WHERE id = ?")
                try delete.bind(1, Int64(bitPattern: id))
                try delete.run()
            }
        }
    }

    static func insertPin(_ pin: KeptPin, _ connection: Connection) throws -> UInt64 {
        let insert = try connection.prepare("INSERT INTO pin(note, data) VALUES(?, ?) RETURNING id")
        try insert.bind(1, pin.note)
        let blob = PinRecord.encode(pin)
        try insert.bind(2, blob.span)
        var id: UInt64 = 0
        while try insert.step() { id = UInt64(bitPattern: insert.int64(0)) }
        return id
    }

    /// - Returns: The id of the pin that is made.
    static func apply(_ change: PinChange, _ connection: Connection) throws -> UInt64? {
        try connection.transaction {
            let made = try change.made.map { try insertPin($0, connection) }
            for opened in change.written {
                let update = try connection.prepare("UPDATE pinfile SET pin = ?, state = 2, data = ? WHERE id = ?")
                try update.bind(1, Int64(bitPattern: opened.pin == 0 ? made ?? 0 : opened.pin))
                let blob = SegmentRecord.encode(opened.file.description)
                try update.bind(2, blob.span)
                try update.bind(3, Int64(bitPattern: opened.file.description.fileID))
                try update.run()
            }
            for id in change.dead {
                let update = try connection.prepare("UPDATE pinfile SET state = 3 WHERE id = ?")
                try update.bind(1, Int64(bitPattern: id))
                try update.run()
            }
            if let removed = change.removed {
                let delete = try connection.prepare("DELETE FROM pin WHERE id = ?")
                try delete.bind(1, Int64(bitPattern: removed))
                try delete.run()
            }
            return made
        }
    }
}

import OrielStore
import OrielTelemetry

/// The copies of the deletions, so that what was deleted does not come back with an older or lost hot.db, and the record of those that are complete.
extension AppDatabase {
    /// Most deletions that are remembered after they are complete.
    private static let rememberedDeletions = 1000

    struct KeptTombstone: Sendable {
        var tombstone: Tombstone
        /// When the last of its rows was gone.
        var completed: Timestamp?
    }

    /// Notes a deletion, on the disk when this returns.
    static func save(_ tombstone: Tombstone, core: StoreCore) throws {
        try core.withAppDatabase { connection in
            let insert = try connection.prepare("INSERT OR REPLACE INTO tombstone VALUES(?, ?, NULL)")
            try insert.bind(1, Int64(bitPattern: tombstone.sequence.rawValue))
            let blob = TombstoneRecord.encode(tombstone)
            try insert.run(borrowing: blob.span, at: 2)
        }
    }

    /// Notes that the rows of a deletion are gone.
    static func complete(_ sequence: CommitSequence, at time: Timestamp, core: StoreCore) throws {
        try core.withAppDatabase { connection in
            let update = try connection.prepare("UPDATE tombstone SET completed = ? WHERE seq = ?")
            try update.bind(1, time.nanoseconds)
            try update.bind(2, Int64(bitPattern: sequence.rawValue))
            try update.run()
            try connection.execute(
                """
                DELETE FROM tombstone WHERE completed IS NOT NULL AND seq NOT IN
                (SELECT seq FROM tombstone WHERE completed IS NOT NULL ORDER BY seq DESC LIMIT \(rememberedDeletions))
                """)
        }
    }

    /// All deletions that are noted, oldest first; none when there is no app.db.
    static func tombstones(core: StoreCore) throws -> [KeptTombstone] {
        guard try core.files.exists(core.folder + "/app.db") else { return [] }
        return try core.withAppDatabase { connection in
            let select = try connection.prepare("SELECT seq, data, completed FROM tombstone ORDER BY seq")
            var kept: [KeptTombstone] = []
            while try select.step() {
                let sequence = CommitSequence(rawValue: UInt64(bitPattern: select.int64(0)))
                let blob = try select.blob(1, limit: HotDatabase.blobLimit)
                let completed = select.isNull(2) ? nil : Timestamp(nanoseconds: select.int64(2))
                kept.append(KeptTombstone(tombstone: try TombstoneRecord.decode(blob.span, sequence: sequence), completed: completed))
            }
            return kept
        }
    }
}

import Testing

@testable import OrielSQLite

/// Proves the instrument: it finds no loss where SQLite promises none, and finds it where SQLite does not.
struct PowerCutTests {
    /// What one run of a small database did: the operations, and after how many of them each row was committed.
    private struct Run {
        var operations: [FileOperation]
        var committed: [Int]
    }

    private func run(_ folder: TemporaryFolder, synchronous: String, checkpoints: Bool = true) throws -> Run {
        let layer = RecordingFileLayer(root: try folder.folder("live"))
        let connection = try Connection(layer.root + "/hot.db", .create, fileSystem: SQLiteFileSystem(layer))
        try connection.pragma("locking_mode", "EXCLUSIVE")
        try connection.pragma("journal_mode", "WAL")
        try connection.pragma("synchronous", synchronous)
        try connection.pragma("wal_autocheckpoint", "0")
        try connection.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)")
        var committed: [Int] = []
        let insert = try connection.prepare("INSERT INTO t(b) VALUES(?)")
        for row in 0..<12 {
            try insert.run(borrowing: [UInt8](repeating: UInt8(row), count: row * 700), at: 1)
            committed.append(layer.operations.count)
            if checkpoints, row % 4 == 3 {
                try connection.checkpoint()
            }
        }
        try connection.close()
        return Run(operations: layer.operations, committed: committed)
    }

    /// How many rows an image holds that are whole and without a gap.
    private func rows(_ path: String) throws -> Int {
        let connection = try Connection(path + "/hot.db", .create, fileSystem: SQLiteFileSystem(POSIXFileLayer()))
        try connection.pragma("locking_mode", "EXCLUSIVE")
        let tables = try connection.prepare("SELECT count(*) FROM sqlite_master")
        guard try tables.step(), tables.int64(0) > 0 else { return 0 }
        tables.reset()
        let select = try connection.prepare("SELECT id, b FROM t ORDER BY id")
        var count = 0
        while try select.step() {
            let bytes = try select.blob(1, limit: 1 << 20)
            guard select.int64(0) == count + 1, bytes == [UInt8](repeating: UInt8(count), count: count * 700) else { break }
            count += 1
        }
        return count
    }

    /// The cases in which an image holds fewer rows than were committed, or cannot be read.
    private func losses(_ run: Run, _ folder: TemporaryFolder, seeds: Range<UInt64>) throws -> [String] {
        var losses: [String] = []
        for count in 0...run.operations.count {
            let expected = run.committed.count { $0 <= count }
            for seed in seeds {
                let image = try folder.folder("image")
                try PowerCut.image(of: run.operations, after: count, seed: seed, into: image)
                do {
                    let found = try rows(image)
                    if found < expected {
                        losses.append("after \(count) operations, seed \(seed): \(found) of \(expected) rows")
                    }
                } catch {
                    losses.append("after \(count) operations, seed \(seed): \(error)")
                }
            }
        }
        return losses
    }

    @Test func fullSynchronisationLosesNothing() throws {
        let folder = try TemporaryFolder()
        let run = try run(folder, synchronous: "FULL")
        #expect(run.committed.count == 12)
        let losses = try losses(run, folder, seeds: 0..<6)
        #expect(losses.isEmpty, "\(losses.prefix(5))")
    }

    @Test func noSynchronisationIsFoundOut() throws {
        let folder = try TemporaryFolder()
        let losses = try losses(run(folder, synchronous: "OFF"), folder, seeds: 0..<2)
        #expect(losses.count > 20)
    }

    @Test func sureIsOnlyWhatWasSynchronised() throws {
        let folder = try TemporaryFolder()
        let layer = RecordingFileLayer(root: try folder.folder("live"))
        try layer.createDirectory(layer.root + "/d")
        let file = try layer.open(layer.root + "/d/f.tmp", .createNew)
        try layer.write(file, at: 0, [UInt8](repeating: 1, count: 2000))
        try layer.synchronize(file, all: true)
        let synchronised = layer.operations.count
        try layer.rename(layer.root + "/d/f.tmp", to: layer.root + "/d/f")
        try layer.synchronizeDirectory(layer.root + "/d")
        let named = layer.operations.count
        try layer.synchronizeDirectory(layer.root)
        let safe = layer.operations.count
        try layer.write(file, at: 0, [UInt8](repeating: 2, count: 2000))
        try layer.close(file)

        var outcomes: [Int: Set<String>] = [:]
        for count in [synchronised, named, safe, layer.operations.count] {
            for seed in 0..<60 as Range<UInt64> {
                let image = try folder.folder("image")
                try PowerCut.image(of: layer.operations, after: count, seed: seed, into: image)
                let base = POSIXFileLayer()
                var outcome = "nothing"
                if try base.exists(image + "/d") {
                    let names = try base.list(image + "/d")
                    outcome = names.joined(separator: ",")
                    if names == ["f"] {
                        let bytes = try base.contents(image + "/d/f", limit: 4000)
                        #expect(bytes.count == 2000)
                        outcome += Set(bytes).sorted().description
                    }
                }
                outcomes[count, default: []].insert(outcome)
            }
        }
        // The name of the new folder, and that of the file in it, are each there or not.
        #expect(outcomes[synchronised] == ["nothing", "", "f.tmp"])
        #expect(outcomes[named] == ["nothing", "f[1]"])
        #expect(outcomes[safe] == ["f[1]"])
        #expect(outcomes[layer.operations.count] == ["f[1]", "f[2]", "f[1, 2]"])
    }
}

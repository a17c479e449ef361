import OrielTelemetry
import Testing

@testable import OrielClient

@Suite struct SpillFolderTests {
    private let folder = TemporaryFolder()

    private func batch(_ number: Int, _ signal: ExportSignal = .logs, size: Int = 100) -> ExportBatch {
        ExportBatch(signal: signal, request: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }, itemCount: number)
    }

    private func open(limit: Int = 1 << 20, service: String = "shop", lookInterval: Duration = .seconds(3600)) throws -> SpillFolder {
        try SpillFolder(
            folder.path + "/spill", limit: limit, service: service, lookInterval: lookInterval)
    }

    /// All that a folder gives, removed.
    private func drain(_ spill: inout SpillFolder) -> [Int] {
        var numbers: [Int] = []
        while let batch = spill.next() {
            numbers.append(batch.itemCount)
            spill.remove()
        }
        return numbers
    }

    private func expectWritten(_ writing: SpillFolder.Writing, sourceLocation: SourceLocation = #_sourceLocation) {
        if case .written = writing { return }
        Issue.record("\(writing)", sourceLocation: sourceLocation)
    }

    private var files: [String] { TemporaryFolder.files(below: folder.path) }

    @Test func requestsComeBackAsTheyWereOldestFirst() throws {
        var spill = try open()
        #expect(spill.isEmpty && spill.next() == nil)
        let batches = [batch(3, .logs), batch(1, .spans, size: 0), batch(2, .metrics, size: 100_000)]
        for batch in batches { expectWritten(spill.write(batch)) }
        #expect(spill.itemCounts == [.logs: 3, .spans: 1, .metrics: 2])
        #expect(!spill.isEmpty)
        for batch in batches {
            #expect(spill.next()?.request == batch.request)
            let again = spill.next()
            #expect(again?.signal == batch.signal && again?.itemCount == batch.itemCount && again?.request == batch.request)
            spill.remove()
        }
        #expect(spill.isEmpty && spill.next() == nil)
        #expect(spill.itemCounts == [.logs: 0, .spans: 0, .metrics: 0])
        #expect(spill.recoveredCounts.isEmpty && files.isEmpty)
        spill.remove()
    }

    @Test func onlyThisUserMayRead() throws {
        var spill = try open()
        expectWritten(spill.write(batch(1)))
        let subfolder = try #require(TemporaryFolder.names(in: folder.path + "/spill").first)
        #expect(TemporaryFolder.mode(folder.path + "/spill")! & 0o777 == 0o700)
        #expect(TemporaryFolder.mode(folder.path + "/spill/" + subfolder)! & 0o777 == 0o700)
        #expect(TemporaryFolder.mode(files[0])! & 0o777 == 0o600)
        withExtendedLifetime(spill) {}
    }

    @Test func aRestartFindsWhatWasLeft() throws {
        var first: SpillFolder? = try open()
        for number in 1...5 { expectWritten(first!.write(batch(number))) }
        first = nil
        var second: SpillFolder? = try open()
        #expect(second!.recoveredCounts == [.logs: 15])
        #expect(second!.next()?.itemCount == 1)
        second!.remove()
        expectWritten(second!.write(batch(6, .spans)))
        #expect(second!.recoveredCounts == [.logs: 15])
        second = nil
        var third = try open()
        #expect(third.recoveredCounts == [.logs: 14, .spans: 6])
        #expect(drain(&third) == [2, 3, 4, 5, 6])
        #expect(files.isEmpty)
        // The subfolders of the dead are gone.
        #expect(TemporaryFolder.names(in: folder.path + "/spill").count == 1)
        withExtendedLifetime(third) {}
    }

    @Test func thereIsNeverMoreThanTheLimit() throws {
        var spill = try open(limit: 64 << 10)
        var written = 0
        while case .written = spill.write(batch(1, size: 3000)) { written += 1 }
        #expect(written == 16)
        guard case .full = spill.write(batch(1, size: 3000)) else {
            Issue.record("there was room")
            return
        }
        spill.remove()
        expectWritten(spill.write(batch(1, size: 3000)))
        guard case .full = spill.write(batch(1, size: 1 << 20)) else {
            Issue.record("there was room")
            return
        }
        #expect(files.count == 16)
    }

    @Test func theLimitIsOneForAllProcesses() throws {
        var first = try open(limit: 64 << 10)
        for _ in 0..<10 { expectWritten(first.write(batch(1, size: 3000))) }
        var second = try open(limit: 64 << 10)
        var written = 0
        while case .written = second.write(batch(1, size: 3000)) { written += 1 }
        #expect(written == 6)
        withExtendedLifetime(first) {}
    }

    @Test func twoAtOnceKeepApart() throws {
        var first = try open()
        var second: SpillFolder? = try open()
        expectWritten(first.write(batch(1)))
        expectWritten(second!.write(batch(2)))
        expectWritten(first.write(batch(3)))
        var third = try open()
        #expect(third.isEmpty && third.recoveredCounts.isEmpty)
        second = nil
        var fourth = try open()
        #expect(fourth.recoveredCounts == [.logs: 2])
        #expect(drain(&fourth) == [2])
        #expect(drain(&third) == [])
        #expect(drain(&first) == [1, 3])
    }

    @Test func filesOfSeveralDeadProcessesAreSortedByAge() throws {
        var first: SpillFolder? = try open()
        var second: SpillFolder? = try open()
        for number in 1...6 {
            if number % 2 == 0 { expectWritten(first!.write(batch(number))) } else { expectWritten(second!.write(batch(number))) }
        }
        first = nil
        second = nil
        var third = try open()
        #expect(drain(&third) == [1, 2, 3, 4, 5, 6])
    }

    // MARK: Other services

    @Test func whatAnotherServiceLeftIsLeftToIt() throws {
        var first: SpillFolder? = try open(limit: 64 << 10, service: "shop")
        for number in 1...3 { expectWritten(first!.write(batch(number, size: 3000))) }
        first = nil
        let left = files
        var second = try open(limit: 64 << 10, service: "billing")
        #expect(second.isEmpty && second.next() == nil && second.recoveredCounts.isEmpty)
        #expect(files == left)
        // It takes its room.
        var written = 0
        while case .written = second.write(batch(1, size: 3000)) { written += 1 }
        #expect(written == 13)
        var third = try open(limit: 64 << 10, service: "shop")
        #expect(third.recoveredCounts == [.logs: 6])
        #expect(drain(&third) == [1, 2, 3])
    }

    @Test func subfoldersThatDoNotSayWhoseTheyAreAreLeftAlone() throws {
        var first: SpillFolder? = try open()
        expectWritten(first!.write(batch(1, size: 3000)))
        let file = files[0]
        first = nil
        let bytes = TemporaryFolder.read(file)
        TemporaryFolder.remove(file)
        let old = folder.path + "/spill/process-77-abc"
        try SpillFiles.makeDirectories(old)
        TemporaryFolder.write(bytes, to: old + "/0000000000000001.otlp")
        var next: SpillFolder? = try open(limit: 8 << 10)
        #expect(next!.isEmpty && files == [old + "/0000000000000001.otlp"])
        expectWritten(next!.write(batch(1, size: 3000)))
        guard case .full = next!.write(batch(1, size: 3000)) else {
            Issue.record("what is left alone took no room")
            return
        }
        TemporaryFolder.remove(old + "/0000000000000001.otlp")
        next = nil
        // Empty ones are nobody's.
        next = try open()
        #expect(!TemporaryFolder.isDirectory(old))
    }

    @Test func whatADeadProcessLeftIsFoundWhileAnotherOneRuns() throws {
        var living = try open(lookInterval: .zero)
        var patient = try open()
        expectWritten(living.write(batch(9)))
        var dying: SpillFolder? = try open()
        for number in 1...2 { expectWritten(dying!.write(batch(number, .spans))) }
        #expect(living.next()?.itemCount == 9)
        #expect(living.recoveredCounts.isEmpty)
        dying = nil
        #expect(patient.next() == nil)
        // Oldest first, as ever.
        #expect(drain(&living) == [9, 1, 2])
        #expect(living.recoveredCounts[.spans] == 3)
        #expect(living.recoveredCounts[.logs] ?? 0 == 0)
        #expect(files.isEmpty)
    }

    // MARK: Files that stay

    private var subfolder: String { files[0].split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } }

    @Test(.enabled(if: RemovalBan.isPossible, "nothing here keeps this user from removing a file"))
    func aFileThatCannotBeRemovedIsEmptied() throws {
        var spill: SpillFolder? = try open()
        for number in 1...2 { expectWritten(spill!.write(batch(number))) }
        let subfolder = subfolder
        RemovalBan.forbidRemoval(in: subfolder)
        defer { RemovalBan.allowRemoval(in: subfolder) }
        #expect(spill!.next()?.itemCount == 1)
        #expect(spill!.remove() == nil)
        #expect(files.count == 2)
        spill = nil
        var next: SpillFolder? = try open()
        #expect(next!.recoveredCounts == [.logs: 2] && next!.damagedFiles == 0)
        RemovalBan.allowRemoval(in: subfolder)
        #expect(drain(&next!) == [2])
        next = nil
        let last = try open()
        #expect(last.isEmpty && files.isEmpty && last.damagedFiles == 0)
    }

    @Test(.enabled(if: RemovalBan.isPossible, "nothing here keeps this user from removing a file"))
    func aFileThatCannotBeRemovedOrEmptiedIsNotSentAgainAndToldOfOnce() throws {
        var spill: SpillFolder? = try open(limit: 64 << 10)
        for number in 1...3 { expectWritten(spill!.write(batch(number))) }
        let (subfolder, files) = (subfolder, files)
        for file in files[..<2] { RemovalBan.forbidChanges(of: file) }
        RemovalBan.forbidRemoval(in: subfolder)
        defer {
            RemovalBan.allowRemoval(in: subfolder)
            for file in files { RemovalBan.allowChanges(of: file) }
        }
        #expect(spill!.next()?.itemCount == 1)
        guard case .irremovable(let path, _)? = spill!.remove() else {
            Issue.record("nothing was told")
            return
        }
        #expect(path == files[0])
        #expect(spill!.next()?.itemCount == 2)
        #expect(spill!.remove() == nil)
        #expect(spill!.itemCounts == [.logs: 3])
        spill = nil

        var next: SpillFolder? = try open(limit: 64 << 10)
        #expect(next!.recoveredCounts == [.logs: 3])
        RemovalBan.allowRemoval(in: subfolder)
        #expect(drain(&next!) == [3])
        // The files that stay take room.
        var written = 0
        while case .written = next!.write(batch(1, size: 3000)) { written += 1 }
        #expect(written == 14)
        #expect(drain(&next!).count == 14)
        next = nil

        for file in files[..<2] { RemovalBan.allowChanges(of: file) }
        let last = try open()
        #expect(last.isEmpty && self.files.isEmpty)
    }

    // MARK: Damage

    @Test func aDamagedHeaderIsMovedAside() throws {
        var spill: SpillFolder? = try open()
        for number in 1...3 { expectWritten(spill!.write(batch(number))) }
        let second = files[1]
        spill = nil
        var bytes = TemporaryFolder.read(second)
        bytes[12] ^= 1
        TemporaryFolder.write(bytes, to: second)
        var next = try open()
        #expect(next.recoveredCounts == [.logs: 4] && next.damagedFiles == 1)
        #expect(drain(&next) == [1, 3])
        #expect(files == [second + ".damaged"])
    }

    @Test func aDamagedRequestIsMovedAsideAndItsItemsAreLost() throws {
        var spill = try open()
        for number in 1...3 { expectWritten(spill.write(batch(number))) }
        let first = files[0]
        var bytes = TemporaryFolder.read(first)
        bytes[60] ^= 0x80
        TemporaryFolder.write(bytes, to: first)
        #expect(spill.next()?.itemCount == 2)
        #expect(spill.lostCounts == [.logs: 1] && spill.damagedFiles == 1)
        #expect(spill.itemCounts == [.logs: 5])
        #expect(drain(&spill) == [2, 3])
        #expect(files == [first + ".damaged"])
    }

    @Test func aMissingFileIsLost() throws {
        var spill = try open()
        for number in 1...3 { expectWritten(spill.write(batch(number))) }
        TemporaryFolder.remove(files[1])
        #expect(drain(&spill) == [1, 3])
        #expect(spill.lostCounts == [.logs: 2])
        #expect(spill.itemCounts == [.logs: 0])
    }

    @Test func aFolderThatWasRemovedIsMadeAgain() throws {
        var spill = try open()
        expectWritten(spill.write(batch(1)))
        TemporaryFolder.remove(folder.path + "/spill")
        expectWritten(spill.write(batch(2)))
        #expect(drain(&spill) == [2])
        #expect(spill.lostCounts == [.logs: 1])
    }

    @Test func unknownFilesAreMovedAside() throws {
        var spill: SpillFolder? = try open()
        expectWritten(spill!.write(batch(1)))
        let subfolder = String(files[0].dropLast(files[0].split(separator: "/").last!.count))
        spill = nil
        TemporaryFolder.write(Array("hello".utf8), to: subfolder + "notes.txt")
        TemporaryFolder.write([1], to: subfolder + "0000000000000001.otlp")
        // An empty one was sent, and could not be removed.
        TemporaryFolder.write([], to: subfolder + "0000000000000002.otlp")
        TemporaryFolder.write([1, 2, 3], to: folder.path + "/spill/left-alone")
        var next = try open()
        #expect(next.damagedFiles == 2)
        #expect(drain(&next) == [1])
        #expect(files.map { String($0.split(separator: "/").last!) } == ["left-alone", "0000000000000001.otlp.damaged", "notes.txt.damaged"])
    }

    @Test func aNameAtTheEndOfTimeDoesNoHarm() throws {
        var spill: SpillFolder? = try open()
        for number in 1...2 { expectWritten(spill!.write(batch(number))) }
        let first = files[0]
        spill = nil
        let bytes = TemporaryFolder.read(first)
        TemporaryFolder.remove(first)
        TemporaryFolder.write(bytes, to: first.dropLast(21) + "ffffffffffffffff.otlp")
        var next = try open()
        expectWritten(next.write(batch(3)))
        #expect(next.itemCounts == [.logs: 6])
        #expect(drain(&next) == [2, 1, 3])
        #expect(files.isEmpty)
    }

    @Test func someKindsAreTakenBeforeOlderOnesOfOthers() throws {
        var spill = try open()
        let signals: [ExportSignal] = [.spans, .logs, .spans, .metrics, .logs]
        for (number, signal) in signals.enumerated() { expectWritten(spill.write(batch(number + 1, signal))) }
        #expect(spill.signals == [.logs, .metrics, .spans])
        #expect(spill.next(of: [.logs, .metrics])?.itemCount == 2)
        spill.remove()
        #expect(spill.next(of: [.logs, .metrics])?.itemCount == 4)
        // It could not be delivered.
        #expect(spill.next(of: [.logs])?.itemCount == 5)
        spill.remove()
        #expect(spill.next(of: [.logs]) == nil)
        #expect(spill.signals == [.metrics, .spans])
        #expect(spill.next(of: [.spans])?.itemCount == 1)
        spill.remove()
        #expect(drain(&spill).sorted() == [3, 4])
        #expect(spill.signals.isEmpty && files.isEmpty)
    }

    @Test func aFileOfALaterVersionIsLeftAsItIs() throws {
        var spill: SpillFolder? = try open()
        for number in 1...2 { expectWritten(spill!.write(batch(number))) }
        let first = files[0]
        spill = nil
        var bytes = TemporaryFolder.read(first)
        bytes[8] = 2
        TemporaryFolder.write(bytes, to: first)
        var next = try open()
        #expect(drain(&next) == [2])
        #expect(next.damagedFiles == 0)
        #expect(files == [first] && TemporaryFolder.read(first) == bytes)
    }

    @Test func damagedFilesMakeRoom() throws {
        var spill: SpillFolder? = try open()
        for number in 1...4 { expectWritten(spill!.write(batch(number, size: 3000))) }
        for file in files { TemporaryFolder.write(Array(repeating: 7, count: 3000), to: file) }
        spill = nil
        var next = try open(limit: 16 << 10)
        #expect(next.damagedFiles == 4 && files.count == 4)
        for number in 1...4 { expectWritten(next.write(batch(number, size: 3000))) }
        #expect(files.count == 4)
        #expect(drain(&next) == [1, 2, 3, 4])
    }

    /// What a process leaves that is killed while it writes: every part of a file, under the name of the time or under its own.
    @Test func aDeathAtAnyMomentLosesNothingThatWasWritten() throws {
        var spill: SpillFolder? = try open()
        for number in 1...2 { expectWritten(spill!.write(batch(number, .spans, size: 50))) }
        let last = files[1]
        let whole = TemporaryFolder.read(last)
        spill = nil
        for length in 0...whole.count {
            for name in [last + ".unfinished", last] {
                TemporaryFolder.remove(last)
                TemporaryFolder.write(Array(whole.prefix(length)), to: name)
                var next = try open()
                // A child that another test starts just now holds the lock of what was closed here until it is a program of its own.
                while next.recoveredCounts.isEmpty { next = try open() }
                let isWhole = name == last && length == whole.count
                var numbers: [Int] = []
                if let batch = next.next() { numbers.append(batch.itemCount) }
                #expect(numbers == [1])
                // The second one is looked at without a removal of the first one, which is needed again.
                let counts = next.recoveredCounts[.spans]
                #expect(counts == (name == last && length >= SpillFile.headerBytes ? 3 : 1))
                if isWhole { #expect(SpillFile.batch(TemporaryFolder.read(last))?.request == batch(2, size: 50).request) }
                for file in files where file.hasSuffix(".damaged") { TemporaryFolder.remove(file) }
            }
        }
    }

    @Test func aPathThatIsNoFolderIsRefused() {
        TemporaryFolder.write([1], to: folder.path + "/file")
        #expect(throws: SpillError.self) { try SpillFolder(folder.path + "/file", limit: 1000, service: "shop") }
        let error = #expect(throws: SpillError.self) { try SpillFolder(folder.path + "/file/inner", limit: 1000, service: "shop") }
        #expect(error?.description.contains("/file/inner: Not a directory") == true)
    }

    @Test func theChecksumIsTheKnownOne() {
        let text = Array("123456789".utf8)
        #expect(SpillChecksum.of(text.span) == 0xE306_9283)
    }

    @Test func headersAreFixed() {
        let header = SpillFile.header(of: ExportBatch(signal: .metrics, request: Array("123456789".utf8), itemCount: 258))
        #expect(
            header.prefix(28)
                == [79, 82, 73, 69, 76, 83, 80, 76, 1, 0, 2, 0, 2, 1, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0x83, 0x92, 0x06, 0xE3])
        #expect(header.count == SpillFile.headerBytes)
    }
}

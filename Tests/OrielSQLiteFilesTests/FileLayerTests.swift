import Glibc
import Testing

@testable import OrielSQLite

struct FileLayerTests {
    let layer = POSIXFileLayer()

    @Test func writesReadsAndTruncates() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/f"
        let file = try layer.open(path, .createNew)
        try layer.write(file, at: 3, [1, 2, 3])
        #expect(try layer.size(file) == 6)
        try layer.truncate(file, to: 5)
        try layer.synchronize(file, all: true)
        try layer.synchronize(file, all: false)
        try layer.close(file)
        try layer.synchronizeDirectory(folder.path)
        #expect(try layer.contents(path, limit: 100) == [0, 0, 0, 1, 2])
        #expect(try layer.contents(path, limit: 4) == [0, 0, 0, 1])
        #expect(try layer.status(path) == FileStatus(size: 5, isDirectory: false))
        try layer.replace(path, with: [9])
        try layer.copy(path, to: path + "2")
        #expect(try layer.contents(path + "2", limit: 9) == [9])
        try layer.rename(path, to: path + "3")
        #expect(try layer.list(folder.path) == ["f2", "f3"])
        try layer.unlink(path + "3")
        #expect(try layer.status(path + "3") == nil)
        #expect(try layer.ensureDirectory(folder.path + "/d"))
        #expect(try !layer.ensureDirectory(folder.path + "/d"))
        #expect(try layer.freeSpace(folder.path) > 0)
    }

    @Test func errorsSayWhatFailedWhere() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/none"
        let error = try #require(throws: FileError.self) { try layer.open(path, .readOnly) }
        #expect(error == FileError(operation: .open, path: path, number: ENOENT))
        #expect(error.description.contains(path) && error.description.contains("open"))
        #expect(throws: FileError.self) { try layer.unlink(path) }
        #expect(throws: FileError.self) { try layer.list(path) }
    }

    @Test func aLockKeepsOtherOpenFilesOut() throws {
        let folder = try TemporaryFolder()
        let first = try layer.open(folder.path + "/f", .create)
        let second = try layer.open(folder.path + "/f", .create)
        try layer.lock(first)
        let error = try #require(throws: FileError.self) { try layer.lock(second) }
        #expect(error.isLocked)
        try layer.unlock(first)
        try layer.lock(second)
        try layer.close(first)
        try layer.close(second)
    }

    @Test func recordsInOrderAndFailsWhereTold() throws {
        let folder = try TemporaryFolder()
        let layer = RecordingFileLayer(root: folder.path)
        let file = try layer.open(folder.path + "/f", .create)
        try layer.write(file, at: 0, [1, 2])
        try layer.synchronize(file, all: true)
        try layer.synchronizeDirectory(folder.path)
        try layer.rename(folder.path + "/f", to: folder.path + "/g")
        try layer.write(file, at: 2, [3])
        #expect(
            layer.operations == [
                .create(path: "f", file: 0), .write(file: 0, offset: 0, bytes: [1, 2]), .synchronize(file: 0), .synchronizeDirectory(path: ""),
                .rename(old: "f", new: "g"), .write(file: 0, offset: 2, bytes: [3]),
            ])

        layer.inject(.shortWrite, at: layer.attemptCount)
        layer.inject(.failure(EIO), at: layer.attemptCount + 1)
        layer.inject(.powerCut, at: layer.attemptCount + 2)
        let short = try #require(throws: FileError.self) { try layer.write(file, at: 3, [4, 5, 6, 7]) }
        #expect(short.isFull)
        #expect(layer.operations.last == .write(file: 0, offset: 3, bytes: [4, 5]))
        #expect(throws: FileError.self) { try layer.synchronize(file, all: true) }
        #expect(throws: FileError.self) { try layer.unlink(folder.path + "/g") }
        #expect(throws: FileError.self) { try layer.size(file) }
        #expect(layer.operations.count == 7)
        try layer.close(file)
    }
}

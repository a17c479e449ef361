public import OrielStore
public import OrielTelemetry
import OrielThreads

/// Makes a data folder from a backup.
public enum Restore {
    /// What a restore has made.
    public struct Report: Sendable, Hashable {
        /// Everything that was acknowledged before this moment is in the restored store.
        public var taken: Timestamp
        public var files: Int
        public var bytes: Int64
    }

    /// In a data folder as long as a restore into it is not finished; no store opens such a folder.
    static let markerName = "RESTORING"

    /// Copies the backup in the folder `backup` into `folder`, which is made when missing and must be empty, or left from a restore that was cut off. Every byte is
    /// checked against the backup's manifest. Both are absolute paths.
    ///
    /// - Throws: ``StoreError/unusable(path:reason:)`` when the folder is not empty or something cannot be written, ``StoreError/damaged(path:reason:)``
    ///   when the backup is not as it was written.
    public static func run(
        _ backup: String, to folder: String, progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) async throws(StoreError) -> Report {
        try await run(backup, to: folder, files: POSIXFileLayer(), progress: progress)
    }

    static func run(
        _ backup: String, to folder: String, files: any FileLayer, progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) async throws(StoreError) -> Report {
        try await OwnThread.result("oriel-restore", path: folder) { try copy(backup, to: folder, files, progress) }
    }

    private static func copy(
        _ backup: String, to folder: String, _ files: any FileLayer, _ progress: @Sendable (BackupProgress) -> Void
    ) throws -> Report {
        let manifest: BackupManifest
        do {
            guard let found = try BackupManifest.read(backup, files: files) else {
                throw StoreError.unusable(path: backup, reason: "it is no complete backup: there is no \(BackupManifest.name)")
            }
            manifest = found
        } catch let error as BackupManifest.Malformed {
            throw StoreError.damaged(path: "\(backup)/\(BackupManifest.name)", reason: error.description)
        }
        try prepare(folder, files)
        let marker = folder + "/" + markerName
        try files.replace(marker, with: Array("A restore of \(backup) into this folder is not finished.\n".utf8))

        var state = BackupProgress(files: 0, bytes: 0, totalFiles: manifest.files.count, totalBytes: manifest.byteCount)
        progress(state)
        var folders: Set<String> = [folder]
        var reported: Int64 = 0
        for file in manifest.files {
            let (source, target) = (backup + "/" + file.path, folder + "/" + file.restoredPath)
            var parent = folder
            for part in file.restoredPath.split(separator: "/").dropLast() {
                parent += "/" + part
                try files.ensureDirectory(parent)
            }
            folders.insert(parent)
            let sum = try files.copySummed(source, to: target) { _ in }
            guard sum == FileSum(checksum: file.checksum, byteCount: file.byteCount) else {
                throw StoreError.damaged(
                    path: source, reason: "it has \(sum.byteCount) bytes with CRC32C \(sum.checksum), written were \(file.byteCount) with \(file.checksum)")
            }
            state.files += 1
            state.bytes += sum.byteCount
            if state.bytes - reported > 16 << 20 || state.files == state.totalFiles {
                progress(state)
                reported = state.bytes
            }
        }
        for folder in folders.sorted() { try files.synchronizeDirectory(folder) }
        try files.unlink(marker)
        try files.synchronizeDirectory(folder)
        return Report(taken: manifest.taken, files: manifest.files.count, bytes: manifest.byteCount)
    }

    /// Makes the folder, or empties it of a restore that was cut off.
    private static func prepare(_ folder: String, _ files: any FileLayer) throws {
        guard let status = try files.status(folder) else { return try make(folder, files) }
        guard status.isDirectory else { throw StoreError.unusable(path: folder, reason: "it is no folder") }
        let names = try files.list(folder)
        guard !names.isEmpty else { return }
        guard names.contains(markerName) else {
            throw StoreError.unusable(path: folder, reason: "it is not empty; a restore makes a new data folder")
        }
        for name in names where name != markerName { try remove(folder + "/" + name, files) }
    }

    private static func make(_ path: String, _ files: any FileLayer) throws(FileError) {
        guard path != "/", try !files.exists(path) else { return }
        try make(path.parentDirectory, files)
        try files.ensureDirectory(path)
    }

    private static func remove(_ path: String, _ files: any FileLayer) throws(FileError) {
        guard try files.status(path)?.isDirectory == true else { return try files.unlink(path) }
        for name in try files.list(path) { try remove(path + "/" + name, files) }
        try files.removeDirectory(path)
    }

    /// Refuses a folder that is no data folder: a backup, or one whose restore was cut off.
    static func checkFinished(_ folder: String, files: any FileLayer) throws(StoreError) {
        let (isUnfinished, isBackup): (Bool, Bool)
        do {
            isUnfinished = try files.exists(folder + "/" + markerName)
            isBackup = try files.exists(folder + "/" + BackupManifest.name)
        } catch {
            throw .unusable(path: folder, reason: "\(error)")
        }
        if isUnfinished { throw .unusable(path: folder, reason: "a restore into it was cut off; run it again") }
        if isBackup { throw .unusable(path: folder, reason: "it is a backup; `oriel restore` makes a data folder from it") }
    }
}

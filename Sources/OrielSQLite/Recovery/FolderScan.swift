import OrielStore
import OrielTelemetry

/// What lies in a store's folder.
struct FolderScan {
    /// A file with a segment's name.
    struct File {
        var fileID: UInt64
        var path: String
        var size: Int64
    }

    /// Numbers of `hot-<n>.db`, ascending.
    var hotNumbers: [Int] = []
    /// Logs without their database, by path.
    var orphanedLogs: [String] = []
    /// Segment files by path below the folder.
    var segments: [String: File] = [:]
    /// Files in the data folders with other names: left over from writing, or somebody else's.
    var others: [String] = []

    init(_ folder: String, files: any FileLayer) throws(FileError) {
        let names = try files.list(folder)
        var logs: [Int] = []
        for name in names {
            if let number = FolderScan.number(name, "hot-", ".db") {
                hotNumbers.append(number)
            } else if let number = FolderScan.number(name, "hot-", ".db-wal") {
                logs.append(number)
            }
        }
        hotNumbers.sort()
        orphanedLogs = logs.filter { !hotNumbers.contains($0) }.map { HotDatabase.path(folder, $0) + "-wal" }
        for signal in Signal.allCases {
            let root = "data/\(signal.name)"
            guard try files.status("\(folder)/\(root)")?.isDirectory == true else { continue }
            for day in try files.list("\(folder)/\(root)") {
                let path = "\(root)/\(day)"
                guard try files.status("\(folder)/\(path)")?.isDirectory == true else { continue }
                for name in try files.list("\(folder)/\(path)") {
                    guard let status = try files.status("\(folder)/\(path)/\(name)"), !status.isDirectory else { continue }
                    if let number = FolderScan.number(name, "", ".seg") {
                        segments["\(path)/\(name)"] = File(fileID: UInt64(number), path: "\(path)/\(name)", size: status.size)
                    } else {
                        others.append("\(path)/\(name)")
                    }
                }
            }
        }
    }

    /// The number between `prefix` and `suffix`, when the whole name is that.
    fileprivate static func number(_ name: String, _ prefix: String, _ suffix: String) -> Int? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.utf8.count > prefix.utf8.count + suffix.utf8.count else { return nil }
        let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
        guard let number = Int(digits), number >= 0, String(number) == digits else { return nil }
        return number
    }
}

/// Files that cannot be used, and copies of damaged ones: kept for whoever wants to look, never read again.
enum UnknownFiles {
    /// Moves the file at `path` to `data/unknown/`, under a name that is free there.
    static func take(_ path: String, _ folder: String, files: any FileLayer) throws(FileError) {
        let target = try freePath(for: path.lastPathComponent, folder, files: files)
        try files.rename(path, to: target)
        try files.synchronizeDirectory(target.parentDirectory)
        try files.synchronizeDirectory(path.parentDirectory)
    }

    /// Copies the file at `path` to `data/unknown/`; returns the copy's path.
    @discardableResult
    static func copy(_ path: String, _ folder: String, files: any FileLayer) throws(FileError) -> String {
        let target = try freePath(for: path.lastPathComponent, folder, files: files)
        try files.copy(path, to: target)
        try files.synchronizeDirectory(target.parentDirectory)
        return target
    }

    /// Gives the file at `path` a second name in `data/unknown/`, or makes a copy where that does not go; returns the path. One that is there from an earlier attempt
    /// serves again.
    ///
    /// - Parameter pause: called with the bytes of a copy as they are read; ends it by throwing.
    static func keep(_ path: String, _ folder: String, files: any FileLayer, pause: (Int64) throws -> Void) throws -> String {
        let known = folder + "/data/unknown/" + path.lastPathComponent
        if try isCopy(known, of: path, files: files, pause: pause) { return known }
        let target = try freePath(for: path.lastPathComponent, folder, files: files)
        do throws(FileError) {
            try files.link(path, to: target)
        } catch {
            // A file system without hard links.
            _ = try files.copySummed(path, to: target, pause: pause)
        }
        try files.synchronizeDirectory(target.parentDirectory)
        return target
    }

    private static func isCopy(_ copy: String, of path: String, files: any FileLayer, pause: (Int64) throws -> Void) throws -> Bool {
        guard let found = try files.status(copy), let original = try files.status(path), found.size == original.size, !found.isDirectory else { return false }
        do {
            return try files.sum(copy, pause: pause) == files.sum(path, pause: pause)
        } catch is FileError {
            // A file that does not read whole is not compared.
            return false
        }
    }

    /// Writes `bytes`, a blob that does not read, as a file of its own into `data/unknown/`.
    static func keep(_ bytes: [UInt8], as name: String, _ folder: String, files: any FileLayer) throws(FileError) {
        let target = try freePath(for: name, folder, files: files)
        try files.replace(target, with: bytes)
    }

    private static func freePath(for name: String, _ folder: String, files: any FileLayer) throws(FileError) -> String {
        try files.ensureDirectory(folder + "/data")
        let unknown = folder + "/data/unknown"
        try files.ensureDirectory(unknown)
        var target = "\(unknown)/\(name)"
        var attempt = 1
        while try files.exists(target) {
            attempt += 1
            target = "\(unknown)/\(name).\(attempt)"
        }
        return target
    }

    /// Unlinks copies of segments that the power or a full disk cut short: ``keep(_:_:files:pause:)`` begins again.
    static func clearUnfinished(_ folder: String, files: any FileLayer) throws(FileError) {
        for name in try names(folder, files: files) {
            // `1.seg.tmp`, or `1.seg.2.tmp` where the first name was taken.
            let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3 || parts.count == 4, parts[1] == "seg", parts.last == "tmp", FolderScan.number(parts[0], "", "") != nil,
                parts.count == 3 || FolderScan.number(parts[2], "", "") != nil
            else { continue }
            let path = folder + "/data/unknown/" + name
            if try files.status(path)?.isDirectory == false { try files.unlink(path) }
        }
    }

    /// The names in `data/unknown/`, sorted.
    static func names(_ folder: String, files: any FileLayer) throws(FileError) -> [String] {
        guard try files.exists(folder + "/data/unknown") else { return [] }
        return try files.list(folder + "/data/unknown")
    }
}

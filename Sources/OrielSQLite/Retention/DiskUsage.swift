import OrielStore
import OrielTelemetry

/// What the files of a store's folder take, whoever made them.
struct DiskUsage: Equatable, Sendable {
    /// Bytes of all files.
    var total: Int64 = 0
    /// Bytes by path below the folder, of files that were asked for.
    private(set) var asked: [String: Int64] = [:]

    /// Walks through `folder`. Files that go meanwhile count as nothing.
    ///
    /// - Parameter paths: Files whose sizes are wanted, as paths below the folder.
    init(_ folder: String, asking paths: Set<String>, files: any FileLayer) throws(FileError) {
        try add("", folder, paths, files, depth: 0)
    }

    private mutating func add(_ path: String, _ folder: String, _ paths: Set<String>, _ files: any FileLayer, depth: Int) throws(FileError) {
        let names: [String]
        do throws(FileError) {
            names = try files.list(path.isEmpty ? folder : folder + "/" + path)
        } catch {
            guard error.isMissing else { throw error }
            return
        }
        for name in names {
            let below = path.isEmpty ? name : path + "/" + name
            guard let status = try files.status(folder + "/" + below) else { continue }
            if status.isDirectory {
                // Deeper than any folder of the store's own.
                if depth < 8 { try add(below, folder, paths, files, depth: depth + 1) }
            } else {
                total += status.size
                if paths.contains(below) { asked[below] = status.size }
            }
        }
    }
}

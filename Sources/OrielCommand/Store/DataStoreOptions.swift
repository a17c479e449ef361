import ArgumentParser
import FoundationEssentials
import OrielCollector
import OrielSQLite
import OrielStore
import OrielTelemetry

/// The store that is meant: the running server's, or a stopped one in its folder.
struct DataStoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Data folder of the server, or of a stopped store. Environment: ORIEL_DATA.", valueName: "dir"), completion: .directory)
    var data: String?

    var folder: String {
        get throws {
            do {
                return try DataFolder.choose(flag: data, file: nil, environment: ProcessInfo.processInfo.environment).path
            } catch {
                throw CommandFailure("\(error)", .usage)
            }
        }
    }

    /// Opens the stopped store, or asks the server that has it open.
    ///
    /// - Returns: the result as the server would say it.
    func result(
        _ path: String, body: [UInt8], progress: (ProgressAnswer) -> Void = { _ in }, stopped: (SQLiteStore) async throws -> [UInt8]
    ) async throws -> [UInt8] {
        let folder = try folder
        guard FileManager.default.fileExists(atPath: folder) else { throw CommandFailure("there is no folder \(folder)") }
        let store: SQLiteStore
        do {
            store = try await SQLiteStore.open(folder: folder, options: .stopped)
        } catch .locked {
            return try await Self.ask(folder, path, body, progress)
        } catch {
            throw CommandFailure("\(error)")
        }
        let outcome: Result<[UInt8], any Error>
        do {
            outcome = .success(try await stopped(store))
        } catch let error as StoreError {
            outcome = .failure(CommandFailure("\(error)"))
        } catch {
            outcome = .failure(error)
        }
        try await store.close()
        return try outcome.get()
    }

    private static func ask(_ folder: String, _ path: String, _ body: [UInt8], _ progress: (ProgressAnswer) -> Void) async throws -> [UInt8] {
        let socket = CollectorConfiguration.socketPath(dataFolder: folder)
        guard FileManager.default.fileExists(atPath: socket) else {
            throw CommandFailure("another process has the store in \(folder) open, and is no server that can be asked (there is no \(socket))")
        }
        var result: [UInt8]?
        try await HTTPQueryService.with(try HTTPQueryService.baseURL("unix:" + socket), name: "the server at \(socket)") { service in
            try await service.work(path, body: body) { line in
                if line.starts(with: AdministrationAnswer.resultPrefix.utf8) {
                    result = Array(line.dropFirst(AdministrationAnswer.resultPrefix.utf8.count).dropLast())
                    return
                }
                let answer = try AnswerList.decode(WorkAnswer.self, line)
                if let error = answer.error { throw CommandFailure(error.message) }
                if let state = answer.progress { progress(state) }
            }
        }
        guard let result else { throw CommandFailure("the server at \(socket) ended before it was done") }
        return result
    }

    /// A path as the process sees it, from the root.
    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        let current = FileManager.default.currentDirectoryPath
        let rest = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return rest.isEmpty ? current : current + "/" + rest
    }
}

extension StoreOptions {
    /// For a look at a stopped store: it makes none, moves no floor and merges nothing.
    static var stopped: StoreOptions {
        var options = StoreOptions()
        options.createsStore = false
        options.maintainsItself = false
        options.appliesRetention = false
        return options
    }
}

/// A line of a server that works.
private struct WorkAnswer: Decodable {
    struct Failure: Decodable {
        var message: String
    }

    var progress: ProgressAnswer?
    var error: Failure?
}

/// How far a backup or a restore has come.
struct ProgressAnswer: Decodable {
    var bytes: Int64
    var totalBytes: Int64

    enum CodingKeys: String, CodingKey {
        case bytes
        case totalBytes = "total_bytes"
    }

    init(_ progress: BackupProgress) {
        bytes = progress.bytes
        totalBytes = progress.totalBytes
    }

    /// Tells a person who watches.
    func show() {
        guard totalBytes > 64 << 20 else { return }
        StandardError.write("oriel: \(ByteSize.text(bytes)) of \(ByteSize.text(totalBytes))\n")
    }
}

/// Sizes for people.
enum ByteSize {
    /// As `12.3 MiB`.
    static func text(_ bytes: some BinaryInteger) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 || unit == "GiB" {
                if unit == "B" { return "\(bytes) B" }
                let tenths = Int((value * 10).rounded())
                return "\(tenths / 10).\(tenths % 10) \(unit)"
            }
            value /= 1024
        }
        return "\(bytes) B"
    }
}

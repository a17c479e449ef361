import FoundationEssentials
import NIOCore
import OrielCollector
import OrielSQLite
import OrielStore

/// Something that answers the API's requests.
protocol QueryService: Sendable {
    /// Whom this asks, for messages.
    var name: String { get }

    func get(_ target: String) async throws -> (status: Int, body: [UInt8])

    /// Asks for a change.
    func post(_ target: String, body: [UInt8]) async throws -> (status: Int, body: [UInt8])

    /// Takes something away.
    func delete(_ target: String) async throws -> (status: Int, body: [UInt8])

    /// Calls `line` for each line of an answer that does not end, until it does.
    func follow(_ target: String, _ line: (ArraySlice<UInt8>) async throws -> Void) async throws
}

extension QueryService {
    /// The body of an answer that must be a success.
    ///
    /// - Throws: ``CommandFailure`` with the API's own message.
    func answer(_ target: String) async throws -> [UInt8] {
        let (status, body) = try await get(target)
        if status == 200 { return body }
        throw failure(status, body)
    }

    func failure(_ status: Int, _ body: [UInt8]) -> CommandFailure {
        var message = "\(name) answered with status \(status)"
        do {
            message = try AnswerList.decode(ErrorAnswer.self, body).error.message
        } catch {
            // Not the API's own error: something else answered there.
            let text = String(decoding: body.prefix(300), as: UTF8.self)
            if !text.isEmpty { message += ": \(TerminalText.safe(text))" }
        }
        if status == 401 { message += " (give one with --token, ORIEL_TOKEN or ORIEL_TOKEN_FILE)" }
        return CommandFailure(message, status == 404 ? .nothingFound : status == 400 ? .usage : .error)
    }

    /// The elements of a list over as many pages as `limit` needs.
    func list(_ name: String, _ target: QueryTarget, limit: Int) async throws -> [ArraySlice<UInt8>] {
        var elements: [ArraySlice<UInt8>] = []
        var cursor: String?
        repeat {
            var page = target
            page.add("limit", String(min(10_000, limit - elements.count)))
            page.add("cursor", cursor)
            let found = try AnswerList.elements(name, of: try await answer(page.text))
            elements += found.elements
            cursor = found.next
        } while cursor != nil && elements.count < limit
        return elements
    }
}

/// Asks a store in this process.
struct StoreQueryService: QueryService {
    let store: SQLiteStore
    let folder: String
    private let api: OrielAPI
    private let deletions: DeletionAPI
    private let pins: PinAPI

    init(store: SQLiteStore, folder: String) {
        self.store = store
        self.folder = folder
        api = OrielAPI(store: store)
        deletions = DeletionAPI(store: store)
        pins = PinAPI(store: store)
    }

    var name: String { "the store in \(folder)" }

    func get(_ target: String) async throws -> (status: Int, body: [UInt8]) {
        let answer =
            switch target {
            case DeletionAPI.path: await deletions.list()
            case PinAPI.path: await pins.list()
            case _ where target.hasPrefix(DeletionAPI.path + "/"): await deletions.deletion(String(target.dropFirst(DeletionAPI.path.count + 1)))
            default: await api.respond(to: target)
            }
        return try Self.whole(answer)
    }

    func post(_ target: String, body: [UInt8]) async throws -> (status: Int, body: [UInt8]) {
        switch target {
        case DeletionAPI.path: return try Self.whole(await deletions.delete(body))
        case PinAPI.path: return try Self.whole(await pins.pin(body))
        default: throw CommandFailure("a stopped store cannot do that (\(target))", .usage)
        }
    }

    func delete(_ target: String) async throws -> (status: Int, body: [UInt8]) {
        guard target.hasPrefix(PinAPI.path + "/") else { throw CommandFailure("a stopped store cannot do that (\(target))", .usage) }
        return try Self.whole(await pins.unpin(String(target.dropFirst(PinAPI.path.count + 1))))
    }

    private static func whole(_ answer: APIAnswer) throws -> (status: Int, body: [UInt8]) {
        guard let bytes = answer.bytes else { throw CommandFailure("a stopped store has nothing to follow", .usage) }
        return (answer.status, bytes)
    }

    func follow(_ target: String, _ line: (ArraySlice<UInt8>) async throws -> Void) async throws {
        throw CommandFailure("--follow needs a server: nothing is added to a store that nobody serves", .usage)
    }
}

extension SourceOptions {
    /// Connects as the options, the environment and the data folder say, and lets go afterwards.
    ///
    /// - Parameters:
    ///   - isChanging: whether rows are to change, so that a stopped store that is opened must merge; what only reads leaves its files as they are.
    ///   - patience: how long a server may be silent.
    func withService(
        isChanging: Bool = false, patience: TimeAmount = HTTPQueryService.patience, _ body: (any QueryService) async throws -> Void
    ) async throws {
        if let server = server ?? Terminal.environment("ORIEL_SERVER"), data == nil {
            let token = try ClientToken.resolve(given: token, environment: ProcessInfo.processInfo.environment)
            return try await HTTPQueryService.with(try HTTPQueryService.baseURL(server), name: server, token: token, patience: patience, body)
        }
        let folder: String
        do {
            folder = try DataFolder.choose(flag: data, file: nil, environment: ProcessInfo.processInfo.environment).path
        } catch {
            throw CommandFailure("\(error)", .usage)
        }
        let socket = CollectorConfiguration.socketPath(dataFolder: folder)
        guard data != nil else {
            guard FileManager.default.fileExists(atPath: socket) else {
                throw CommandFailure(
                    "no server runs on the data folder \(folder) (there is no \(socket)); start one with `oriel serve`, name one with --server URL, or read a stopped store with --data DIR"
                )
            }
            return try await HTTPQueryService.with(
                try HTTPQueryService.baseURL("unix:" + socket), name: "the server at \(socket)", token: token, patience: patience, body)
        }
        guard FileManager.default.fileExists(atPath: folder) else { throw CommandFailure("there is no folder \(folder)") }
        var options = StoreOptions.stopped
        options.maintainsItself = isChanging
        let store: SQLiteStore
        do {
            store = try await SQLiteStore.open(folder: folder, options: options)
        } catch .locked where FileManager.default.fileExists(atPath: socket) {
            return try await HTTPQueryService.with(
                try HTTPQueryService.baseURL("unix:" + socket), name: "the server at \(socket)", token: token, patience: patience, body)
        } catch {
            throw CommandFailure("\(error)")
        }
        do {
            try await body(StoreQueryService(store: store, folder: folder))
        } catch {
            try await store.close()
            throw error
        }
        try await store.close()
    }
}

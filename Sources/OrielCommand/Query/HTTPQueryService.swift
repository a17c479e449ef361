import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Asks a server over TCP or a unix socket.
struct HTTPQueryService: QueryService {
    /// The connection could not be made, or broke.
    struct Unreachable: Error {
        let reason: String
    }

    private let client: HTTPClient
    private let base: String
    private let token: String?
    private let patience: TimeAmount
    let name: String

    /// How long a server may usually be silent.
    static let patience = TimeAmount.seconds(45)

    /// Bytes of one answer, and of one line, that are accepted.
    private static let maximumBytes = 256 << 20

    /// What requests to a server begin with: the URL of a `--server`.
    static func baseURL(_ server: String) throws -> String {
        if server.hasPrefix("unix:") {
            let path = server.dropFirst(5)
            let absolute = path.hasPrefix("//") ? String(path.dropFirst(2)) : String(path)
            guard absolute.hasPrefix("/") else {
                throw CommandFailure("\"\(server)\" is no address: a unix socket needs an absolute path, as in unix:/run/oriel.sock", .usage)
            }
            return "http+unix://" + QueryTarget.encode(absolute)
        }
        var url = server.contains("://") ? server : "http://" + server
        while url.hasSuffix("/") { url.removeLast() }
        guard url.hasPrefix("http://") || url.hasPrefix("https://"), url.split(separator: "/", maxSplits: 2).count == 2 else {
            throw CommandFailure("\"\(server)\" is no address: expected http://HOST:PORT, HOST:PORT or unix:/PATH", .usage)
        }
        return url
    }

    /// Runs `body` with a client that is shut down afterwards.
    ///
    /// - Parameter patience: how long the server may be silent.
    static func with(
        _ base: String, name: String, token: String? = nil, patience: TimeAmount = HTTPQueryService.patience, _ body: (HTTPQueryService) async throws -> Void
    ) async throws {
        var configuration = HTTPClient.Configuration()
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: .seconds(5), read: patience)
        configuration.tracing.tracer = nil
        // The default policy retries connecting for as long as the deadline allows; a person waits.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            try await body(HTTPQueryService(client: client, base: base, token: token, patience: patience, name: name))
        } catch let error as Unreachable {
            try await client.shutdown()
            throw CommandFailure("\(name) cannot be reached: \(error.reason)")
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    func get(_ target: String) async throws -> (status: Int, body: [UInt8]) {
        do {
            let response = try await client.execute(request(target), timeout: patience + .seconds(15))
            let body = try await response.body.collect(upTo: Self.maximumBytes)
            return (Int(response.status.code), Array(body.readableBytesView))
        } catch {
            throw Unreachable(reason: Self.describe(error))
        }
    }

    func post(_ target: String, body: [UInt8]) async throws -> (status: Int, body: [UInt8]) { try await send(.POST, target, body: body) }

    func delete(_ target: String) async throws -> (status: Int, body: [UInt8]) { try await send(.DELETE, target) }

    /// Asks for a change.
    func send(_ method: HTTPMethod, _ target: String, body: [UInt8] = []) async throws -> (status: Int, body: [UInt8]) {
        var request = request(target)
        request.method = method
        if !body.isEmpty {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        do {
            let response = try await client.execute(request, timeout: patience + .seconds(15))
            let body = try await response.body.collect(upTo: Self.maximumBytes)
            return (Int(response.status.code), Array(body.readableBytesView))
        } catch {
            throw Unreachable(reason: Self.describe(error))
        }
    }

    private func request(_ target: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: base + target)
        if let token { request.headers.add(name: "authorization", value: "Bearer " + token) }
        return request
    }

    func follow(_ target: String, _ line: (ArraySlice<UInt8>) async throws -> Void) async throws {
        try await follow(request(target), line)
    }

    /// Has the server do something that takes long; calls `line` for each line of its answer.
    func work(_ target: String, body: [UInt8], _ line: (ArraySlice<UInt8>) async throws -> Void) async throws {
        var request = request(target)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: body))
        try await follow(request, line)
    }

    private func follow(_ request: HTTPClientRequest, _ line: (ArraySlice<UInt8>) async throws -> Void) async throws {
        let response: HTTPClientResponse
        do {
            response = try await client.execute(request, deadline: .distantFuture)
        } catch {
            throw Unreachable(reason: Self.describe(error))
        }
        guard response.status.code == 200 else {
            let body = try await response.body.collect(upTo: 1 << 20)
            throw failure(Int(response.status.code), Array(body.readableBytesView))
        }
        var pending: [UInt8] = []
        var pieces = response.body.makeAsyncIterator()
        while true {
            let piece: ByteBuffer?
            do {
                piece = try await pieces.next()
            } catch {
                throw Unreachable(reason: Self.describe(error))
            }
            guard let piece else { return }
            let searched = pending.count
            pending.append(contentsOf: piece.readableBytesView)
            var start = 0
            var search = searched
            while let end = pending[search...].firstIndex(of: UInt8(ascii: "\n")) {
                try await line(pending[start..<end])
                start = end + 1
                search = start
            }
            pending.removeFirst(start)
            guard pending.count <= Self.maximumBytes else { throw CommandFailure("\(name) sent a line of more than \(Self.maximumBytes) bytes") }
        }
    }

    private static func describe(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout: "it did not answer within 5 s"
        case let error as HTTPClientError where error == .readTimeout: "it fell silent"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "it closed the connection"
        case let error as IOError: errorText(error.errnoCode)
        default: "\(error)"
        }
    }
}

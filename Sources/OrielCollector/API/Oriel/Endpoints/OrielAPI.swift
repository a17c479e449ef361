public import OrielStore
public import OrielTelemetry

/// The HTTP API under `/api/oriel/v1/`, as a plain function from a request to an answer: the daemon serves it, and the command line calls it in process on a
/// store without a daemon. `/api/oriel/v1/openapi.json` describes it.
public struct OrielAPI: Sendable {
    let store: any TelemetryStore
    private let clock: @Sendable () -> Timestamp
    private let answers: AdmissionBudget?
    let recentSeries: RecentSeriesLayouts
    /// Of the answer that is being written.
    private(set) var memory = AnswerMemory(reservation: nil)

    /// The path that all of the API's paths begin with.
    public static let basePath = "/api/oriel/v1"

    /// How long a query may take, in nanoseconds.
    static let timeLimit: Int64 = 30_000_000_000
    /// Bytes of rows after which a page ends early.
    static let pageBytes = 16 << 20

    /// - Parameters:
    ///   - answers: What answers may hold together until their peers have taken them; `nil` for no bound.
    ///   - clock: What relative times refer to; tests set it.
    public init(store: any TelemetryStore, answers: AdmissionBudget? = nil, clock: @escaping @Sendable () -> Timestamp = { .now }) {
        self.init(store: store, answers: answers, recentSeries: RecentSeriesLayouts(), clock: clock)
    }

    private init(store: any TelemetryStore, answers: AdmissionBudget?, recentSeries: RecentSeriesLayouts, clock: @escaping @Sendable () -> Timestamp) {
        self.store = store
        self.answers = answers
        self.recentSeries = recentSeries
        self.clock = clock
    }

    /// The API for one caller.
    func narrowed(to access: Access) -> OrielAPI {
        OrielAPI(store: access.narrow(store), answers: answers, recentSeries: recentSeries, clock: clock)
    }

    /// Answers a GET request.
    ///
    /// - Parameter target: Path and query as sent, such as `/api/oriel/v1/logs?since=1h`.
    public func respond(to target: String) async -> APIAnswer {
        var api = self
        api.memory = AnswerMemory(reservation: answers?.makeReservation())
        do {
            var answer = try await api.answer(to: try RequestTarget(target))
            answer.memory = api.memory
            return answer
        } catch {
            return APIAnswer(error)
        }
    }

    private func answer(to target: RequestTarget) async throws(APIError) -> APIAnswer {
        let now = clock()
        guard target.segments.starts(with: ["api", "oriel", "v1"]) else { throw notFound(target) }
        let path = Array(target.segments.dropFirst(3))
        switch (path.first ?? "", path.count) {
        case ("openapi.json", 1):
            _ = try RequestParameters(target.parameters, known: [], now: now)
            return APIAnswer(json: Array(OpenAPIDocument.text.utf8))
        case ("traces", 1): return try await traces(try RequestParameters(target.parameters, known: Self.tracesParameters, now: now))
        case ("traces", 2):
            return try await trace(path[1], try RequestParameters(target.parameters, known: Self.traceParameters, now: now))
        case ("logs", 1):
            let parameters = try RequestParameters(target.parameters, known: Self.logsParameters, now: now)
            return try parameters.bool("follow") ? try await followLogs(parameters) : try await logs(parameters)
        case ("series", 1): return try await series(try RequestParameters(target.parameters, known: Self.seriesParameters, now: now))
        case ("metrics", 1): return try await metrics(try RequestParameters(target.parameters, known: Self.metricsParameters, now: now))
        case ("services", 1): return try await services(try RequestParameters(target.parameters, known: Self.servicesParameters, now: now))
        default: throw notFound(target)
        }
    }

    /// The last segments of the paths without a parameter.
    private static let names = ["traces", "logs", "series", "metrics", "services", "openapi.json"]

    private func notFound(_ target: RequestTarget) -> APIError {
        let path = target.segments.joined(separator: "/").prefix(200)
        let hint = target.segments.last.map { Suggestion.hint(for: $0, in: Self.names) } ?? ""
        return APIError(status: 404, "there is nothing at /\(path)\(hint); \(Self.basePath)/openapi.json lists what there is")
    }

    /// Whether a page must end because of what was written since `start`.
    ///
    /// - Throws: 503 when other answers hold the memory that it takes.
    func isFull(_ writer: borrowing JSONWriter, from start: Int = 0) throws(APIError) -> Bool {
        try memory.hold(writer.bytes.capacity)
        return writer.bytes.count - start > Self.pageBytes
    }

    func snapshot() throws(APIError) -> any StoreSnapshot {
        do {
            return try store.snapshot()
        } catch {
            throw APIError(error)
        }
    }

    /// When a query that starts now must have ended.
    var deadline: Timestamp { Timestamp.now.advanced(by: Self.timeLimit) }

    /// Throws when a query takes too long; for loops around several calls to the store.
    func check(_ deadline: Timestamp) throws(APIError) {
        if Timestamp.now >= deadline { throw APIError(.deadlineExceeded(seconds: Double(Self.timeLimit) / 1e9)) }
        if Task.isCancelled { throw APIError(status: 503, "the request was cancelled") }
    }
}

/// What ``OrielAPI`` answers.
public struct APIAnswer: Sendable {
    public enum Body: Sendable {
        /// All of it, in parts that follow each other.
        case parts([[UInt8]])
        /// Lines that come as they happen.
        case lines(LogFollower)
    }

    /// The HTTP status code.
    public var status: Int
    public var contentType: String
    /// The value of `Retry-After`.
    public var retryAfterSeconds: Int?
    public var body: Body
    /// Held until the body was sent.
    var memory = AnswerMemory(reservation: nil)

    /// All of the body as one; `nil` for lines that come as they happen.
    public var bytes: [UInt8]? {
        guard case .parts(let parts) = body else { return nil }
        return parts.count == 1 ? parts[0] : Array(parts.joined())
    }

    init(json: [UInt8]) {
        self.init(json: [json])
    }

    init(json parts: [[UInt8]]) {
        status = 200
        contentType = "application/json"
        body = .parts(parts)
    }

    init(lines: LogFollower) {
        status = 200
        contentType = "application/x-ndjson"
        body = .lines(lines)
    }

    init(_ error: APIError) {
        status = error.status
        contentType = "application/json"
        retryAfterSeconds = error.retryAfterSeconds
        body = .parts([error.body])
    }
}

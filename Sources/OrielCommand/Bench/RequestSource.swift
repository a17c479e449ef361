import OrielTelemetry

/// Makes the bodies of one connection's requests, one after another.
protocol RequestSource: Sendable {
    /// The encoded export request that ``advance()`` made last.
    var body: [UInt8] { get }
    /// Makes the next request and returns how many rows it holds.
    mutating func advance() -> Int
}

/// Spans or log records: a few encoded templates in turn, with the ids, times and numbers of new traces.
struct TraceRequestSource: RequestSource {
    private(set) var body: [UInt8] = []
    private let templates: [(patches: [Patch], rows: Int)]
    private var bodies: [[UInt8]]
    private let patcher: TracePatcher
    private let tracesPerRequest: Int
    private let connection: Int
    private let connections: Int
    private var request = 0

    /// - Parameters:
    ///   - make: Encodes a template of so many traces from a seed.
    init(connection: Int, connections: Int, tracesPerRequest: Int, seed: UInt64, make: (_ traces: Int, _ seed: UInt64) -> PayloadTemplate) {
        let made = (0..<2).map { make(tracesPerRequest, SeededRandom.mixed(seed &+ UInt64(connection * 2 + $0))) }
        templates = made.map { ($0.patches, $0.rows) }
        bodies = made.map(\.bytes)
        patcher = TracePatcher(seed: seed)
        self.tracesPerRequest = tracesPerRequest
        self.connection = connection
        self.connections = connections
    }

    mutating func advance() -> Int {
        let index = request % templates.count
        // The connections take turns in the numbers of traces, so no two share one.
        let firstTrace = UInt64((request * connections + connection) * tracesPerRequest)
        request += 1
        let second: Int64 = 1_000_000_000
        patcher.patch(&bodies[index], templates[index].patches, firstTrace: firstTrace, start: Timestamp.now.nanoseconds - 2 * second, spread: UInt64(second))
        body = bodies[index]
        return templates[index].rows
    }
}

/// Samples: every pod of the connection once per interval, several pods a request, from the past up to now.
struct SampleRequestSource: RequestSource {
    private(set) var body: [UInt8] = []
    private var pods: [SamplePayload]
    private let podsPerRequest: Int
    private let interval: Int64
    private var time: Int64
    private var next = 0

    /// - Parameters:
    ///   - rows: The rows that this connection is going to send: they decide how far in the past the first sample is.
    ///   - interval: Between two samples of a series, in nanoseconds.
    init(shop: Shop, pods: [(service: Int, pod: Int)], rows: Int, rowsPerRequest: Int, seed: UInt64, interval: Int64) {
        let now = Timestamp.now.nanoseconds
        let one = SamplePayload(shop: shop, service: 0, pod: 0, seed: seed, start: 0).rows
        let rounds = Int64(rows / max(1, pods.count * one) + 1)
        let start = now - rounds * interval
        self.pods = pods.map { SamplePayload(shop: shop, service: $0.service, pod: $0.pod, seed: seed, start: start) }
        podsPerRequest = max(1, min(pods.count, rowsPerRequest / one))
        self.interval = interval
        time = start
    }

    mutating func advance() -> Int {
        body.removeAll(keepingCapacity: true)
        var rows = 0
        for _ in 0..<podsPerRequest {
            if next == 0 { time += interval }
            pods[next].advance(to: time)
            body.append(contentsOf: pods[next].bytes)
            rows += pods[next].rows
            next = (next + 1) % pods.count
        }
        return rows
    }
}

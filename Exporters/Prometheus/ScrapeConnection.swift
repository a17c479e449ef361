import OrielClient

/// One client of a ``PrometheusListener``: reads requests, one at a time, and sends the answers as the client takes them.
///
/// A value that is told when its socket may be ready; it never waits.
struct ScrapeConnection {
    /// What an advance ended with.
    enum State: Hashable {
        /// To be told when there is something to read.
        case reading
        /// To be told when there is room to send.
        case writing
        /// To be told again soon: another request came along with the last one.
        case ready
        case ended
    }

    /// The most that one call takes from the socket.
    private static let chunk = 8 << 10
    /// The most that is read and thrown away, and for how long, so that a client which still sends gets to read why it was refused.
    private static let drainLimit = 256 << 10
    private static let drainNanoseconds: Int64 = 1_000_000_000

    let socket: Descriptor
    private let configuration: PrometheusListener.Configuration
    private var input: [UInt8] = []
    /// Bytes of the input that hold no end of a head.
    private var scanned = 0
    private var output: [UInt8] = []
    private var sent = 0
    private var keepsAlive = true
    /// Bytes that were thrown away after the last answer; `nil` before it is sent.
    private var drained: Int?
    private(set) var state = State.reading
    /// When to give up, by the clock of `now`.
    private(set) var deadline: Int64
    /// When it last began to wait for a request.
    private(set) var idleSince: Int64

    init(_ socket: Descriptor, configuration: PrometheusListener.Configuration, now: Int64) {
        self.socket = socket
        self.configuration = configuration
        idleSince = now
        deadline = now + configuration.requestNanoseconds
    }

    /// Whether nobody loses an answer when it is closed now.
    var isIdle: Bool { state == .reading }

    /// Reads, answers and sends what can be without waiting, one request at most.
    mutating func advance(now: Int64, source: ScrapeSource) {
        if output.isEmpty, drained == nil { readRequest(now: now, source: source) }
        if !output.isEmpty { sendAnswer(now: now) }
        if drained != nil { drain() }
    }

    private mutating func readRequest(now: Int64, source: ScrapeSource) {
        while true {
            switch ScrapeRequest.parse(input, scanned: &scanned) {
            case .request(let request, let length):
                input.removeFirst(length)
                answer(ScrapeResponse(to: request, source: source, offersOpenMetrics: configuration.offersOpenMetrics), now: now)
                return
            case .invalid(let status):
                input = []
                answer(ScrapeResponse(refusing: status), now: now)
                return
            case .incomplete:
                let wasEmpty = input.isEmpty
                switch socket.receive(upTo: Self.chunk, into: &input) {
                case .count:
                    // From the first byte on there is one time for the whole head.
                    if wasEmpty { deadline = now + configuration.requestNanoseconds }
                case .wouldBlock:
                    state = .reading
                    return
                case .ended:
                    state = .ended
                    return
                }
            }
        }
    }

    private mutating func answer(_ response: ScrapeResponse, now: Int64) {
        output = response.bytes
        sent = 0
        keepsAlive = response.keepsAlive
        deadline = now + configuration.requestNanoseconds
    }

    private mutating func sendAnswer(now: Int64) {
        while sent < output.count {
            switch socket.send(output[sent...]) {
            case .count(let count): sent += count
            case .wouldBlock:
                state = .writing
                return
            case .ended:
                state = .ended
                return
            }
        }
        output = []
        if keepsAlive {
            idleSince = now
            deadline = now + configuration.idleNanoseconds
            state = input.isEmpty ? .reading : .ready
        } else {
            socket.endOutput()
            drained = 0
            deadline = now + Self.drainNanoseconds
        }
    }

    private mutating func drain() {
        while let count = drained, count < Self.drainLimit {
            input = []
            switch socket.receive(upTo: Self.chunk, into: &input) {
            case .count(let more): drained = count + more
            case .wouldBlock:
                state = .reading
                return
            case .ended:
                state = .ended
                return
            }
        }
        state = .ended
    }
}

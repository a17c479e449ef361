import OrielClient
import OrielTelemetry

/// A connection that requests are sent over, one after the other.
struct HTTPConnection: Sendable {
    /// Receivers and what lies between close connections that are idle for a minute or more.
    private static let longestIdleTime: Int64 = 50_000_000_000
    /// Beyond it the wall clock has gone on while this process did not: a sandbox that was frozen, whose connections are dead.
    private static let longestClockJump: Int64 = 1_000_000_000

    private var stream: any ByteStream
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)
    /// When it was last used, by the wall and by the clock of the running machine.
    private var wallTime = Timestamp.now
    private var runningTime = SuspendingClock.now
    /// Whether a request was answered on it.
    private(set) var isReused = false

    init(_ stream: any ByteStream) {
        self.stream = stream
    }

    /// Whether another request may be tried on it.
    mutating func isUsable() -> Bool {
        let wall = Timestamp.now.nanoseconds.subtractingSaturating(wallTime.nanoseconds)
        let parts = runningTime.duration(to: SuspendingClock.now).components
        let running = parts.seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue.addingSaturating(parts.attoseconds / 1_000_000_000)
        let jump = wall.subtractingSaturating(running)
        guard (-Self.longestClockJump...Self.longestClockJump).contains(jump), max(wall, running) < Self.longestIdleTime else { return false }
        return !stream.isStale()
    }

    /// A request that was not answered.
    struct Failure: Error, Sendable {
        let error: StreamError
        /// Whether part of an answer came.
        let hasAnswer: Bool
    }

    /// Sends a request and reads its answer.
    ///
    /// - Parameter parts: the head and the body.
    mutating func exchange(_ parts: [[UInt8]], until deadline: Deadline) throws(Failure) -> HTTPResponse {
        var parser = HTTPResponseParser()
        do throws(StreamError) {
            // Who answers before the end of the request does not want the rest of it.
            let isSent = try send(parts, &parser, until: deadline)
            while !parser.isDone {
                _ = try stream.wait(reading: true, writing: false, until: deadline)
                _ = try read(&parser)
            }
            wallTime = .now
            runningTime = .now
            isReused = true
            var response = parser.response
            if !isSent { response.keepsAlive = false }
            return response
        } catch {
            // The status tells what became of the request; one that was taken must not be sent again because the rest of the answer is lost or does not come.
            guard parser.hasHead, error.kind != .protocolViolation else { throw Failure(error: error, hasAnswer: parser.hasBegun) }
            var response = parser.response
            response.keepsAlive = false
            return response
        }
    }

    /// - Returns: whether all of it was sent.
    private mutating func send(_ parts: [[UInt8]], _ parser: inout HTTPResponseParser, until deadline: Deadline) throws(StreamError) -> Bool {
        do throws(StreamError) {
            for part in parts {
                var offset = 0
                while offset < part.count {
                    let count = try stream.write(part.span.extracting(offset..<part.count))
                    offset += count
                    if count == 0, try !waitToSend(&parser, until: deadline) { return false }
                }
            }
            while try !stream.flush() {
                if try !waitToSend(&parser, until: deadline) { return false }
            }
            return true
        } catch  where error.kind == .closed {
            // The answer may have come before the end: "413 Content Too Large" and gone.
            do throws(StreamError) {
                while try read(&parser), !parser.hasHead {}
            } catch let last where last.kind == .protocolViolation {
                // It tells more than that the connection broke.
                throw last
            } catch {
                // Reading fails as sending did, which is thrown below.
            }
            if parser.hasHead { return false }
            throw error
        }
    }

    /// - Returns: whether sending makes sense.
    private mutating func waitToSend(_ parser: inout HTTPResponseParser, until deadline: Deadline) throws(StreamError) -> Bool {
        guard try stream.wait(reading: true, writing: true, until: deadline) else { return true }
        _ = try read(&parser)
        return !parser.hasHead
    }

    /// - Returns: whether anything came.
    private mutating func read(_ parser: inout HTTPResponseParser) throws(StreamError) -> Bool {
        switch try stream.read(into: &buffer) {
        case .bytes(let count):
            try parser.feed(buffer.span.extracting(0..<count))
            return true
        case .nothingYet: return false
        case .end:
            try parser.finish()
            return true
        }
    }
}

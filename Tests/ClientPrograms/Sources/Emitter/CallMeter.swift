/// What calls into the telemetry cost the thread that makes them.
///
/// A call that took long by the wall clock was interrupted (the processor was given to another thread) or waited. Only the latter is a voluntary switch, so after each long call the
/// thread's switches are read: if their number grew, the call waited for a lock, or for memory from the kernel, and what it did not compute was that wait.
struct CallMeter {
    enum Kind: Int, CaseIterable {
        case log
        case span
        case counter
        case timer
        /// Nothing at all: what the meter itself takes.
        case nothing
    }

    struct Durations {
        var processor = DurationHistogram()
        var wall = DurationHistogram()
    }

    /// A wait is longer than this: to put a thread to sleep and to wake it takes more.
    private static let shortestWait: UInt64 = 3_000

    private(set) var durations = Kind.allCases.map { _ in Durations() }
    private(set) var waits = DurationHistogram()
    private var switches = ThreadClock.switches.voluntary

    /// To be called after the thread itself has waited, so that this counts for no call.
    mutating func pause() { switches = ThreadClock.switches.voluntary }

    mutating func measure<Result>(_ kind: Kind, _ call: () -> Result) -> Result {
        let wall = ThreadClock.wall
        let processor = ThreadClock.processor
        let result = call()
        let computed = ThreadClock.processor &- processor
        let taken = ThreadClock.wall &- wall
        durations[kind.rawValue].processor.record(computed)
        durations[kind.rawValue].wall.record(taken)
        if taken > Self.shortestWait {
            let now = ThreadClock.switches.voluntary
            if now > switches { waits.record(taken - min(computed, taken)) }
            switches = now
        }
        return result
    }

    mutating func add(_ other: CallMeter) {
        for kind in durations.indices {
            durations[kind].processor.add(other.durations[kind].processor)
            durations[kind].wall.add(other.durations[kind].wall)
        }
        waits.add(other.waits)
    }
}

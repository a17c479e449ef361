import Foundation
import Oriel

/// What a run was like, as one line of JSON.
struct Report: Encodable {
    struct Signal: Encodable {
        /// As the program itself counted.
        var made: Int
        /// As the pipeline counted.
        var emitted: UInt64
        var delivered: UInt64
        var dropped: [String: UInt64]
        var waiting: UInt64
    }

    struct Call: Encodable {
        var processor: DurationHistogram.Summary
        var wall: DurationHistogram.Summary
    }

    struct Locks: Encodable {
        var calls: Int
        /// Calls that gave the processor up.
        var waitingCalls: Int
        var waitingCallsPerMillion: Double
        /// Of these calls: for how many nanoseconds.
        var waits: DurationHistogram.Summary
        /// Of the threads, whatever they did.
        var voluntarySwitches: Int
        var involuntarySwitches: Int
    }

    struct Memory: Encodable {
        /// The bound.
        var queueBytes: Int
        var longestQueuedBytes = 0
        /// Before the first call.
        var anonymousBytesBefore = 0
        var mostAnonymousBytes = 0
        var peakBytes = 0
    }

    var threads: Int
    var seconds: Double
    /// Rounds of each thread.
    var rounds: [Int]
    var logs: Signal
    var spans: Signal
    var metricPoints: Signal
    /// By call.
    var calls: [String: Call] = [:]
    var locks: Locks
    var memory: Memory
    /// Of all emitting threads, in seconds.
    var processorSeconds: Double
    var failedRequests: UInt64
    var lastFailure: String?
    /// How long the last flush and the shutdown took.
    var flushSeconds: Double
    var isFlushed: Bool
    var shutdownSeconds: Double
    var isShutDownClean: Bool
}

extension Report.Signal {
    init(_ counts: Oriel.DeliveryStatistics.Counts, made: Int) {
        self.made = made
        emitted = counts.emitted
        delivered = counts.delivered
        dropped = Dictionary(uniqueKeysWithValues: counts.dropped.map { ($0.key.rawValue, $0.value) })
        waiting = counts.waiting
    }
}

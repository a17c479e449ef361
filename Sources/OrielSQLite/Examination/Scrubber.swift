import OrielStore
import OrielTelemetry
import OrielThreads
import Synchronization

/// Reads all live files again and again, so slowly that nothing else notices, so that damage is known before its bytes are needed.
///
/// A pass takes as long as ``StoreOptions/scrubPeriod``, or longer when the files are more than ``StoreOptions/scrubBytesPerSecond`` allows. It does not keep files from
/// being unlinked, and leaves those that came since it began to the next pass: whoever wrote them has read them back.
final class Scrubber: Sendable {
    private let core: StoreCore
    private let signal = ThreadSignal()
    private let isStopping = Atomic(false)

    /// Ends the check of a file, or of all.
    private enum Interruption: Error {
        case gone, stopped
    }

    private struct File {
        weak let lifetime: (any AnyObject & Sendable)?
        var path: String
        var byteCount: Int
    }

    private static let longestWait: Int64 = 60_000_000_000
    /// Bytes a second for stores that could do with less.
    private static let slowestRate = 64 << 10

    init(_ core: StoreCore) {
        self.core = core
    }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        signal.notify()
    }

    /// Works until it is told to stop; on a thread of its own.
    func run() {
        let period = core.options.scrubPeriod
        guard wait(min(period, Self.longestWait)) else { return }
        var isFirst = true
        while true {
            let start = Timestamp.now
            do {
                // A process that is often restarted would else only ever read the beginning.
                try pass(startingAnywhere: isFirst)
            } catch Interruption.stopped {
                return
            } catch {
                core.counters.noteMaintenanceFailure(error)
            }
            isFirst = false
            let rest = period.subtractingSaturating(Timestamp.now.nanoseconds.subtractingSaturating(start.nanoseconds))
            guard wait(max(rest, min(period, Self.longestWait))) else { return }
        }
    }

    private func pass(startingAnywhere: Bool) throws {
        var files: [File] = []
        for signal in Signal.allCases {
            for case let segment as Segment in core.state[signal].files {
                files.append(File(lifetime: segment.lifetime, path: segment.path, byteCount: segment.description.byteCount))
            }
        }
        guard !files.isEmpty else { return }
        if startingAnywhere { files.rotate(toStartAt: Int.random(in: 0..<files.count)) }
        let seconds = max(1, Double(core.options.scrubPeriod) / 1e9)
        let wanted = Double(files.reduce(0) { $0 + $1.byteCount }) * 1.1 / seconds
        let rate = min(max(wanted, Double(Self.slowestRate)), Double(max(1, core.options.scrubBytesPerSecond)))
        for file in files {
            do {
                try check(file, rate: rate)
            } catch Interruption.gone {
                continue
            }
        }
        core.counters.update { $0.lastScrub = .now }
    }

    private func check(_ file: File, rate: Double) throws {
        guard file.lifetime != nil else { return }
        try Segment.check(file.path, byteCount: file.byteCount, core: core, structure: false) { bytes in
            core.counters.update { $0.scrubbedBytes += bytes }
            guard wait(Int64(Double(bytes) / rate * 1e9)) else { throw Interruption.stopped }
            if file.lifetime == nil { throw Interruption.gone }
        }
    }

    /// - Returns: Whether to go on.
    private func wait(_ nanoseconds: Int64) -> Bool {
        let deadline = ContinuousClock.now.advanced(by: .nanoseconds(nanoseconds))
        while true {
            let ticket = signal.ticket
            if isStopping.load(ordering: .relaxed) { return false }
            let rest = ContinuousClock.now.duration(to: deadline)
            if rest <= .zero { return true }
            signal.wait(after: ticket, timeout: rest)
        }
    }
}

extension Array {
    fileprivate mutating func rotate(toStartAt index: Int) {
        self = Array(self[index...] + self[..<index])
    }
}

import Glibc
import Synchronization

/// A line on standard error that shows how far a long work is; nothing where that is no terminal.
final class ProgressLine: Sendable {
    private let label: String
    private let total: Int
    private let state: Mutex<(done: Int, shown: ContinuousClock.Instant)>
    private let isVisible: Bool

    init(_ label: String, total: Int) {
        self.label = label
        self.total = total
        state = Mutex((0, ContinuousClock.now))
        isVisible = isatty(2) == 1
    }

    /// Counts finished work and shows it, ten times a second at most.
    func advance(by count: Int) {
        guard isVisible else { return }
        let done: Int? = state.withLock { state in
            state.done += count
            let now = ContinuousClock.now
            guard now - state.shown > .milliseconds(100) else { return nil }
            state.shown = now
            return state.done
        }
        guard let done else { return }
        let width = 30
        let filled = min(width, width * done / max(total, 1))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        StandardError.write("\r\(label) [\(bar)] \(BenchReport.grouped(done)) of \(BenchReport.grouped(total))")
    }

    /// Shows a state without a bar.
    func show(_ text: String) {
        guard isVisible else { return }
        StandardError.write("\r\u{1B}[K\(text)")
    }

    /// Takes the line away.
    func finish() {
        guard isVisible else { return }
        StandardError.write("\r\u{1B}[K")
    }
}

import OrielThreads
import Synchronization

/// A thread of its own that does one job at a time for another thread, and wakes that one when a job is done.
///
/// Used by one owner: it starts a job, goes on with its own work, and takes the output when it is woken.
final class JobThread<Output: Sendable>: Sendable {
    private struct State {
        var job: (@Sendable () -> Output)?
        var output: Output?
        /// A job was started whose output was not taken.
        var isBusy = false
        var isStopping = false
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
        /// A job is there, or the thread is to end.
        let work = ThreadSignal()
        /// An output is there.
        let done = ThreadSignal()
    }

    private let shared = Shared()
    private let thread: OwnThread

    /// - Parameter wakes: Who is to look for the output.
    init(name: String, nice: Int32 = 0, wakes owner: ThreadSignal) throws(ThreadError) {
        let shared = shared
        thread = try OwnThread(name: name, nice: nice) {
            while true {
                let ticket = shared.work.ticket
                let next = shared.state.withLock { state -> (job: (@Sendable () -> Output)?, isStopping: Bool) in
                    defer { state.job = nil }
                    return (state.job, state.isStopping)
                }
                if let job = next.job {
                    let output = job()
                    shared.state.withLock { $0.output = output }
                    shared.done.notify()
                    owner.notify()
                } else if next.isStopping {
                    return
                } else {
                    shared.work.wait(after: ticket)
                }
            }
        }
    }

    deinit {
        shared.state.withLock { $0.isStopping = true }
        shared.work.notify()
    }

    /// Whether a job was started whose output was not taken.
    var isBusy: Bool { shared.state.withLock { $0.isBusy } }

    /// Starts a job. The last one's output must have been taken.
    func start(_ job: @escaping @Sendable () -> Output) {
        shared.state.withLock { state in
            precondition(!state.isBusy, "one job at a time")
            state.isBusy = true
            state.job = job
        }
        shared.work.notify()
    }

    /// The output of the job that was started, once it is done.
    func take() -> Output? {
        shared.state.withLock { state in
            guard let output = state.output else { return nil }
            state.output = nil
            state.isBusy = false
            return output
        }
    }

    /// Waits for the job that was started; `nil` when there is none.
    func wait() -> Output? {
        while true {
            let ticket = shared.done.ticket
            guard isBusy else { return nil }
            if let output = take() { return output }
            shared.done.wait(after: ticket)
        }
    }

    /// Ends the thread after the job at hand. Must not be called from it.
    func stop() {
        shared.state.withLock { $0.isStopping = true }
        shared.work.notify()
        thread.join()
    }
}

import Dispatch
import Glibc

/// Does something when the user or the system ends the program early (SIGINT, SIGTERM).
struct Interruption {
    private let sources: [any DispatchSourceSignal]

    /// - Parameter body: Called on a thread of the system, not in the signal's handler.
    init(_ body: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: body)
            source.resume()
            return source
        }
    }

    /// Gives the signals back to the system's default.
    func cancel() {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}

import BenchmarkTools
import Oriel

/// How long a program waits for its telemetry to be ready.
enum StartBenchmark {
    /// Must run before anything else of the library, since only the first call of a process pays for all that is made once.
    static func run(_ options: Options, _ report: inout Report) {
        let name = "Oriel.telemetry(), first call"
        guard options.wants(name) else { return }
        let wall = SystemClock.wall.nanoseconds
        let thread = SystemClock.thread.nanoseconds
        guard let telemetry = try? Oriel.telemetry() else { return print("\(name): the system has no thread to give") }
        let cpu = SystemClock.thread.nanoseconds - thread
        let elapsed = SystemClock.wall.nanoseconds - wall
        report.add(name, Double(elapsed) / 1e6, "ms", aim: 5)
        report.add("\(name), CPU time", Double(cpu) / 1e6, "ms")
        // Kept to the end of the program: it has nowhere to deliver to, and would say so when it is let go.
        _ = unsafe Unmanaged.passRetained(telemetry)
    }
}

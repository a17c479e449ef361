import CoreMetrics
import Foundation
import Logging
import Oriel
import Tracing

/// The sandbox of a function: takes invocations from standard input, one a line (an id and a W3C `traceparent`), and says `done ID late|in-time` right after each has returned.
/// Then it is frozen, all threads at once, as the platform does it: it stops itself with `SIGSTOP` and goes on when it gets `SIGCONT`.
///
/// Configured by the environment alone, as functions are.
@main
struct FunctionSandbox {
    static func main() async throws {
        let telemetry = try Oriel.telemetry()
        let logger = Logger(label: "sandbox") { telemetry.logHandler(label: $0) }
        let counter = CoreMetrics.Counter(label: "sandbox.increments", dimensions: [], factory: telemetry.metricsFactory)
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 2 else { continue }
            let invocation = Oriel.Invocation(
                requestID: words[0], functionARN: "arn:aws:lambda:eu-west-1:123456789012:function:sandbox",
                deadline: Oriel.Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000) + 30_000))
            await telemetry.invocation(invocation, carriers: [["traceparent": words[1]]]) {
                telemetry.tracer.withSpan("step") { span in
                    span.attributes["invocation"] = words[0]
                    logger.info("invocation \(words[0])")
                    counter.increment()
                }
            }
            // What did not arrive in time waits for the next invocation, says the library.
            let statistics = telemetry.statistics ?? Oriel.DeliveryStatistics()
            let isLate = statistics.signals.values.contains { $0.waiting > 0 }
            print("done \(words[0]) \(isLate ? "late" : "in-time")")
            unsafe fflush(nil)
            raise(SIGSTOP)
        }
    }
}

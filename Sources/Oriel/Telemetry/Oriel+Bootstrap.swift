import CoreMetrics
import Logging
import OrielClient
import OrielTelemetry
import Synchronization
import Tracing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension Oriel {
    /// Why telemetry could not be installed.
    public enum BootstrapError: Error, Hashable, Sendable, CustomStringConvertible {
        /// Oriel is installed already.
        case alreadyBootstrapped
        /// This process was forked off one that had Oriel installed. Its threads did not come along; start another program with `exec` instead.
        case forked
        /// The telemetry itself could not be made.
        case notMade(String)

        public var description: String {
            switch self {
            case .alreadyBootstrapped: "Oriel.bootstrap() was called before; it installs telemetry once for the whole process"
            case .forked:
                "this process was forked off one that had called Oriel.bootstrap(), whose threads do not exist here; exec a program that calls it itself"
            case .notMade(let reason): reason
            }
        }
    }

    private struct Installed {
        var telemetry: Telemetry?
        var process: pid_t
    }

    private static let installed = Mutex<Installed?>(nil)

    /// The longest that the end of the program waits for telemetry that nobody has shut down.
    private static let exitPatience: Int64 = 1_000_000_000

    /// The telemetry that ``bootstrap(_:)`` installed.
    public static var bootstrapped: Telemetry? { installed.withLock { $0?.telemetry } }

    /// Makes telemetry and installs it as the process's backend of swift-log, swift-metrics and swift-distributed-tracing.
    ///
    /// ```swift
    /// @main struct Shop {
    ///     static func main() async throws {
    ///         let telemetry = try Oriel.bootstrap()
    ///         …
    ///         await telemetry.shutdown(timeout: .seconds(5))
    ///     }
    /// }
    /// ```
    ///
    /// Call it first, before a logger or a metric is made, once for the whole process. These three libraries take a backend once: if another library has installed one before, swift-log ends the
    /// program with a message of its own, which no library can prevent. A program that ends without ``Telemetry/shutdown(timeout:)`` has its last telemetry sent at `exit`, for one second at most.
    ///
    /// - Throws: ``BootstrapError``.
    @discardableResult
    public static func bootstrap(_ configuration: Configuration = .environment()) throws(BootstrapError) -> Telemetry {
        let known = installed.withLock { state -> Installed? in
            let known = state
            // Taken before the telemetry is made, so that of two callers one is refused.
            if known == nil { state = Installed(telemetry: nil, process: getpid()) }
            return known
        }
        if let known { throw known.process == getpid() ? .alreadyBootstrapped : .forked }
        let telemetry: Telemetry
        do throws(DeliveryError) {
            telemetry = try Telemetry(configuration)
        } catch {
            installed.withLock { $0 = nil }
            throw .notMade("\(error)")
        }
        installed.withLock { $0 = Installed(telemetry: telemetry, process: getpid()) }
        LoggingSystem.bootstrap(
            { label, provider in telemetry.logHandler(label: label, metadataProvider: provider) }, metadataProvider: configuration.metadataProvider)
        MetricsSystem.bootstrap(telemetry.metricsFactory)
        InstrumentationSystem.bootstrap(telemetry.tracer)
        atexit { Oriel.endAtExit() }
        return telemetry
    }

    private static func endAtExit() {
        guard let state = installed.withLock({ $0 }), state.process == getpid() else { return }
        state.telemetry?.shutdownBlocking(deadline: .now.advanced(by: exitPatience))
    }
}

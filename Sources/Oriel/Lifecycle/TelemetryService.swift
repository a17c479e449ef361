#if ServiceLifecycle
public import ServiceLifecycle
import OrielTelemetry

extension Oriel {
    /// Telemetry as a service of swift-service-lifecycle: put it first in the group, so that it is shut down last and gets what the others say at their end.
    ///
    /// ```swift
    /// let group = ServiceGroup(services: [telemetry.service, server], gracefulShutdownSignals: [.sigterm], logger: logger)
    /// ```
    ///
    /// It runs until the group shuts down, then sends what waits and returns, at the latest after ``shutdownTimeout``, whether the collector answers or not.
    public struct TelemetryService: Service {
        /// What is shut down at the end.
        public let telemetry: Telemetry
        /// The longest that the end may take.
        public var shutdownTimeout: Duration

        /// - Parameter shutdownTimeout: the longest that the end may take.
        public init(_ telemetry: Telemetry, shutdownTimeout: Duration = .seconds(5)) {
            self.telemetry = telemetry
            self.shutdownTimeout = shutdownTimeout
        }

        public func run() async throws {
            do {
                try await gracefulShutdown()
            } catch is CancellationError {
                // A group that is cancelled ends too, and its last words are to be heard as well.
            }
            await telemetry.shutdown(timeout: shutdownTimeout)
        }
    }
}

extension Oriel.Telemetry {
    /// This telemetry as a service of swift-service-lifecycle.
    public var service: Oriel.TelemetryService { Oriel.TelemetryService(self) }
}
#endif

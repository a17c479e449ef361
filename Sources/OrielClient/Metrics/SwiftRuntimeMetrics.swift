#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What runs the process: `swift_runtime_info`, and the number of threads that its tasks share.
///
/// The number of tasks and what they wait for is known to the runtime alone, which does not tell.
enum SwiftRuntimeMetrics {
    static func collect(_ collector: inout MetricCollector) {
        collector.info("swift_runtime", labels: info, help: "The Swift runtime and what it was built for.")
        collector.gauge(
            "swift_cooperative_threads", help: "The most threads that run tasks at the same time: one a processor.", value: Double(processors))
    }

    private static let info = MetricLabels([
        ("version", "\(_SwiftStdlibVersion.current)"), ("os", operatingSystem), ("architecture", architecture),
    ])

    private static let processors = max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1)

    private static var operatingSystem: String {
        #if os(Linux)
        "linux"
        #elseif os(macOS)
        "darwin"
        #else
        "other"
        #endif
    }

    private static var architecture: String {
        #if arch(x86_64)
        "amd64"
        #elseif arch(arm64)
        "arm64"
        #else
        "other"
        #endif
    }
}

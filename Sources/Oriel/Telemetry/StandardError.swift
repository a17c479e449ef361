#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Tells people what concerns the telemetry itself, which telemetry cannot.
enum StandardError {
    /// Writes a line in one step. Where it cannot be written there is nobody left to tell.
    static func print(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // The pointer is valid for the call.
        _ = unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
    }
}

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the detection of resources reads of the system: a seam, so that tests can be on other machines.
struct ResourceFiles: Sendable {
    /// The text of a file; `nil` when it cannot be read.
    var text: @Sendable (_ path: String) -> String?
    var executablePath: @Sendable () -> String?
    var hostName: @Sendable () -> String?

    /// The machine that the process is on.
    static let system = ResourceFiles(text: { readText($0) }, executablePath: { systemExecutablePath }, hostName: { systemHostName })

    /// Bytes of a file; what is longer is cut.
    private static let limit = 256 << 10

    private static func readText(_ path: String) -> String? {
        // A file that is none, such as a pipe, must not hold us up.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < limit {
            // Reads at most what the buffer holds.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static var systemExecutablePath: String? {
        #if os(Linux) || os(Android)
        let size = 4096
        var buffer = [CChar](repeating: 0, count: size)
        // Writes at most what the buffer holds, without a zero at the end.
        let count = unsafe readlink("/proc/self/exe", &buffer, size)
        return count > 0 ? text(buffer[..<count]) : nil
        #else
        return CommandLine.arguments.first
        #endif
    }

    private static var systemHostName: String? {
        let size = 256
        var buffer = [CChar](repeating: 0, count: size)
        // The last byte is left out, so that there is a zero in any case.
        guard unsafe gethostname(&buffer, size - 1) == 0 else { return nil }
        return text(buffer.prefix { $0 != 0 })
    }

    private static func text(_ characters: ArraySlice<CChar>) -> String {
        String(decoding: characters.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

import Foundation

/// The memory of this process that is no file's, as Linux tells it.
enum MemoryProbe {
    /// Bytes now; 0 where the system does not tell.
    static var anonymousBytes: Int { status("RssAnon:") }

    /// Bytes of all memory at the worst moment.
    static var peakBytes: Int { status("VmHWM:") }

    private static func status(_ name: String) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let kibibytes = line.dropFirst(name.count).split(whereSeparator: { $0 == " " || $0 == "\t" }).first.flatMap { Int($0) }
            return (kibibytes ?? 0) << 10
        }
        return 0
    }
}

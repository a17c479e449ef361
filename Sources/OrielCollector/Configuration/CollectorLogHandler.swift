import Glibc
public import Logging
import OrielTelemetry
import Synchronization

/// The daemon's log: one line an event on stderr, as text for people or JSON for machines.
///
/// All handlers made from one ``CollectorLog`` share its level, which may change while the daemon runs.
public struct CollectorLogHandler: LogHandler {
    private let log: CollectorLog
    private let label: String
    private var ownLevel: Logger.Level?
    public var metadata = Logger.Metadata()
    public var metadataProvider: Logger.MetadataProvider?

    init(log: CollectorLog, label: String) {
        self.log = log
        self.label = label
    }

    public var logLevel: Logger.Level {
        get { ownLevel ?? log.level }
        set { ownLevel = newValue }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error { all["error"] = "\(error)" }
        log.write(level: event.level, label: label, message: event.message.description, metadata: all)
    }
}

/// Where the daemon's log goes, and how it looks.
public final class CollectorLog: Sendable {
    private let format: CollectorConfiguration.LogConfiguration.Format
    private let descriptor: Int32
    private let currentLevel: Mutex<Logger.Level>

    /// - Parameter descriptor: the open file to write to, standard error (2) if not given.
    public init(_ configuration: CollectorConfiguration.LogConfiguration, descriptor: Int32 = 2) {
        format = configuration.format
        self.descriptor = descriptor
        currentLevel = Mutex(configuration.level)
    }

    /// The least level that is written.
    public var level: Logger.Level {
        get { currentLevel.withLock { $0 } }
        set { currentLevel.withLock { $0 = newValue } }
    }

    /// A logger that writes here.
    public func logger(label: String) -> Logger {
        Logger(label: label) { CollectorLogHandler(log: self, label: $0) }
    }

    func write(level: Logger.Level, label: String, message: String, metadata: Logger.Metadata) {
        let line = Self.line(
            format: format, time: Timestamp.now, level: level, label: label, message: message,
            metadata: metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) })
        var offset = 0
        while offset < line.count {
            let count = unsafe line.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset) }
            // A log that cannot be written has nowhere to say so.
            guard count > 0 || errno == EINTR else { return }
            offset += max(0, count)
        }
    }

    /// One line with its end. Line ends in messages are escaped, so that an event is always one line.
    static func line(
        format: CollectorConfiguration.LogConfiguration.Format, time: Timestamp, level: Logger.Level, label: String, message: String,
        metadata: [(String, String)]
    ) -> [UInt8] {
        switch format {
        case .json:
            var writer = JSONWriter()
            writer.object { writer in
                writer.key("time")
                writer.string(time.rfc3339(in: .utc, fractionDigits: 3))
                writer.key("level")
                writer.string(level.rawValue)
                writer.key("logger")
                writer.string(label)
                writer.key("message")
                writer.string(message)
                for (key, value) in metadata {
                    writer.key(key)
                    writer.string(value)
                }
            }
            return writer.bytes + [UInt8(ascii: "\n")]
        case .text:
            var text = "\(time.rfc3339(in: .utc, fractionDigits: 3)) \(level.rawValue.uppercased()) \(label): \(message)"
            for (key, value) in metadata {
                let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
                // Escaped, so that no value passes for further fields.
                text += " \(key)=" + (isPlain ? value : "\"\(value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"")
            }
            var line: [UInt8] = []
            line.reserveCapacity(text.utf8.count + 1)
            for byte in text.utf8 {
                switch byte {
                case UInt8(ascii: "\n"): line.append(contentsOf: "\\n".utf8)
                case UInt8(ascii: "\r"): line.append(contentsOf: "\\r".utf8)
                case 0x1B: line.append(contentsOf: "\\e".utf8)
                default: line.append(byte)
                }
            }
            return line + [UInt8(ascii: "\n")]
        }
    }
}

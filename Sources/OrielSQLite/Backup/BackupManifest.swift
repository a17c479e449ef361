import OrielCompression
import OrielTelemetry

/// What a backup folder holds: text, written last and replaced in one step, so that it always names a whole backup.
///
/// ```
/// oriel backup
/// format 1
/// store <32 hexadecimal digits>
/// generation <n>
/// taken <unix nanoseconds>
/// sequence <n>
/// file <CRC32C> <bytes> <path in the backup> <path in the data folder>
/// checksum <16 hexadecimal digits over all before>
/// ```
struct BackupManifest: Equatable, Sendable {
    struct File: Equatable, Sendable {
        var checksum: UInt32
        var byteCount: Int64
        /// Below the backup folder.
        var path: String
        /// Below the data folder that a restore makes.
        var restoredPath: String
    }

    /// Why a manifest cannot be used.
    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    static let name = "MANIFEST"
    static let format = 1
    /// Bytes of a manifest that are read at most: a million files.
    static let byteLimit = 256 << 20

    var store: String
    var generation: Int
    var taken: Timestamp
    var sequence: UInt64
    var files: [File] = []

    var byteCount: Int64 { files.reduce(0) { $0 + $1.byteCount } }

    var encoded: [UInt8] {
        var text = """
            oriel backup
            format \(Self.format)
            store \(store)
            generation \(generation)
            taken \(taken.nanoseconds)
            sequence \(sequence)

            """
        for file in files { text += "file \(UInt64(file.checksum).hexadecimal) \(file.byteCount) \(file.path) \(file.restoredPath)\n" }
        var bytes = Array(text.utf8)
        let checksum = UInt64(CRC32C.checksum(bytes.span)).hexadecimal
        bytes += Array("checksum \(checksum)\n".utf8)
        return bytes
    }

    init(store: String, generation: Int, taken: Timestamp, sequence: UInt64) {
        self.store = store
        self.generation = generation
        self.taken = taken
        self.sequence = sequence
    }

    init(encoded bytes: [UInt8]) throws {
        // "checksum " + 16 digits + newline.
        let tail = 9 + 16 + 1
        guard bytes.count > tail else { throw Malformed(description: "it is cut off") }
        let count = bytes.count - tail
        let content = bytes.span.extracting(0..<count)
        guard String(decoding: bytes[count...], as: UTF8.self) == "checksum \(UInt64(CRC32C.checksum(content)).hexadecimal)\n" else {
            throw Malformed(description: "its checksum does not match")
        }
        var fields: [Substring: Substring] = [:]
        var files: [File] = []
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        var lines = text.split(separator: "\n")
        guard lines.first == "oriel backup" else { throw Malformed(description: "it is no manifest of a backup") }
        lines.removeFirst()
        for line in lines {
            let parts = line.split(separator: " ", omittingEmptySubsequences: false)
            if parts.count == 2 {
                fields[parts[0]] = parts[1]
            } else if parts.count == 5, parts[0] == "file", let checksum = UInt64(parts[1], radix: 16), checksum <= UInt64(UInt32.max),
                let size = Int64(parts[2]), size >= 0, Self.isBelow(parts[3]), Self.isBelow(parts[4])
            {
                files.append(File(checksum: UInt32(checksum), byteCount: size, path: String(parts[3]), restoredPath: String(parts[4])))
            } else {
                throw Malformed(description: "it has the line \"\(line.prefix(200))\"")
            }
        }
        guard let format = fields["format"].flatMap({ Int($0) }) else { throw Malformed(description: "it names no format") }
        guard format <= Self.format else { throw Malformed(description: "it has format \(format); this version reads up to \(Self.format)") }
        guard let store = fields["store"], let generation = fields["generation"].flatMap({ Int($0) }), generation >= 0, generation < Int.max,
            let taken = fields["taken"].flatMap({ Int64($0) }), let sequence = fields["sequence"].flatMap({ UInt64($0) })
        else { throw Malformed(description: "its head is incomplete") }
        self.init(store: String(store), generation: generation, taken: Timestamp(nanoseconds: taken), sequence: sequence)
        self.files = files
    }

    /// Whether a path stays below the folder that it is appended to.
    private static func isBelow(_ path: Substring) -> Bool {
        guard !path.isEmpty, path.utf8.count < 512 else { return false }
        return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// The manifest in `folder`, `nil` without one.
    static func read(_ folder: String, files: any FileLayer) throws -> BackupManifest? {
        let path = folder + "/" + name
        guard try files.exists(path) else { return nil }
        return try BackupManifest(encoded: try files.contents(path, limit: byteLimit))
    }
}

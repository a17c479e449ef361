import OrielCompression
import OrielStore
import OrielTelemetry

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What makes a folder this store and no other: chosen at random when it is made, kept in LOCK and in hot.db.
struct StoreIdentity: Hashable, Sendable {
    var high: UInt64
    var low: UInt64
    /// The key of stream ids.
    var secret: StreamSecret

    static func random() -> StoreIdentity {
        StoreIdentity(
            high: .random(in: 1...UInt64.max), low: .random(in: 0...UInt64.max),
            secret: StreamSecret(high: .random(in: 0...UInt64.max), low: .random(in: 0...UInt64.max)))
    }
}

/// The file LOCK: held as long as the store is open, and the memory of the store's identity and of the highest start number, so that sequences grow also over
/// a lost or older hot.db.
///
/// Text of one disk sector, written in one piece, so that a power cut leaves the old or the new content.
final class StoreLock: Sendable {
    /// What LOCK says.
    struct Content: Equatable, Sendable {
        var identity: StoreIdentity
        /// The last start that may have appended.
        var start: UInt32
    }

    /// The format of the folder; a folder with a higher one is left untouched.
    static let format = 1
    private static let size = 512
    private static let title = "oriel store"

    private let files: any FileLayer
    private let file: OpenFile

    private init(_ files: any FileLayer, _ file: OpenFile) {
        self.files = files
        self.file = file
    }

    /// Whether a folder holds a store, or what is left of one: its lock, its hot.db or its segments.
    static func isStore(_ folder: String, files: any FileLayer) throws(FileError) -> Bool {
        guard try files.status(folder)?.isDirectory == true else { return false }
        let path = folder + "/LOCK"
        if try files.exists(path) {
            // A file of that name may be anybody's.
            let text = try files.contents(path, limit: size)
            if text.starts(with: StoreLock.title.utf8) { return true }
        }
        let scan = try FolderScan(folder, files: files)
        return !scan.hotNumbers.isEmpty || !scan.segments.isEmpty
    }

    /// Takes the lock on `folder`, which must exist.
    ///
    /// - Returns: The lock, and what the file says; `nil` when it is new or says nothing that can be read.
    static func take(_ folder: String, files: any FileLayer) throws(StoreError) -> (lock: StoreLock, content: Content?) {
        let path = folder + "/LOCK"
        do {
            let file = try files.open(path, .create)
            var text: [String: String] = [:]
            do throws(FileError) {
                var bytes = [UInt8](repeating: 0, count: size)
                var span = bytes.mutableSpan
                let count = try files.read(file, at: 0, into: &span)
                text = fields(bytes.prefix(count))
                try files.lock(file)
            } catch {
                files.closeAfterFailure(file)
                if error.isLocked {
                    throw StoreError.locked(path: folder, processID: text["process"].flatMap { Int($0) })
                }
                throw error
            }
            if let found = text["format"].flatMap({ Int($0) }), found > format {
                files.closeAfterFailure(file)
                throw StoreError.newerFormat(path: folder, found: found, supported: format)
            }
            return (StoreLock(files, file), content(text))
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError.unusable(path: path, reason: "\(error)")
        }
    }

    /// Writes `content` and makes it last.
    func write(_ content: Content) throws(FileError) {
        let secret = content.identity.secret
        var text = """
            \(StoreLock.title)
            format \(StoreLock.format)
            id \(content.identity.high.hexadecimal)\(content.identity.low.hexadecimal)
            secret \(secret.high.hexadecimal)\(secret.low.hexadecimal)
            start \(content.start)
            process \(getpid())

            """
        let checksum = CRC32C.checksum(Array(text.utf8).span)
        text += "checksum \(UInt64(checksum).hexadecimal)\n"
        var bytes = Array(text.utf8)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "\n"), count: max(0, StoreLock.size - bytes.count)))
        try files.write(file, at: 0, bytes.span)
        try files.synchronize(file, all: true)
        try files.synchronizeDirectory(file.path.parentDirectory)
    }

    /// Lets the lock go.
    func release() {
        files.closeAfterFailure(file)
    }

    private static func fields(_ bytes: some Collection<UInt8>) -> [String: String] {
        let text = String(decoding: bytes, as: UTF8.self)
        var fields: [String: String] = [:]
        var checked = ""
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { continue }
            if parts[0] == "checksum" {
                let checksum = UInt64(CRC32C.checksum(Array(checked.utf8).span)).hexadecimal
                fields["isWhole"] = checksum == parts[1] ? "yes" : "no"
                break
            }
            checked += line + "\n"
            fields[String(parts[0])] = String(parts[1])
        }
        return fields
    }

    private static func content(_ fields: [String: String]) -> Content? {
        guard fields["isWhole"] == "yes", let id = fields["id"].flatMap({ HotDatabase.halves($0) }),
            let secret = fields["secret"].flatMap({ HotDatabase.halves($0) }),
            let start = fields["start"].flatMap({ UInt32($0) })
        else { return nil }
        return Content(
            identity: StoreIdentity(high: id.0, low: id.1, secret: StreamSecret(high: secret.0, low: secret.1)), start: start)
    }
}

extension UInt64 {
    /// 16 hexadecimal digits.
    var hexadecimal: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

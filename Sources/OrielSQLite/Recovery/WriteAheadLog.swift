import OrielTelemetry

/// SQLite's write-ahead log, read without SQLite (https://www.sqlite.org/fileformat2.html#walformat): SQLite ends the log silently at the first frame that it
/// cannot verify, be it a torn tail or a rotten bit with acknowledged commits behind it.
struct WriteAheadLog {
    /// A frame that carries the log's current salt.
    struct Frame {
        /// Counted from 0.
        var index: Int
        var page: UInt32
        /// Whether it ends a transaction.
        var isCommit: Bool
        /// Whether its checksum follows from that of the frame before.
        var isIntact: Bool
    }

    let pageSize: Int
    /// The frames in the file's order; those of other salts are left out.
    let frames: [Frame]
    /// Frames up to the first that cannot be verified: what SQLite reads.
    let readableCount: Int

    private static let headerSize = 32
    private static let frameHeaderSize = 24

    /// Reads the log at `path`; `nil` when there is none or its header says nothing, so that SQLite takes it as empty.
    ///
    /// - Complexity: Reads the whole file; memory for one page and 16 bytes a frame.
    init?(_ path: String, files: any FileLayer) throws(FileError) {
        guard let status = try files.status(path), status.size >= Int64(Self.headerSize) else { return nil }
        let file = try files.open(path, .readOnly)
        defer { files.closeAfterFailure(file) }
        let header = try Self.read(file, at: 0, count: Self.headerSize, files: files)
        guard let header, let log = Header(header) else { return nil }
        pageSize = log.pageSize

        var frames: [Frame] = []
        var readable = 0
        var isReadable = true
        var previous = log.checksum
        var index = 0
        while true {
            let offset = Int64(Self.headerSize) + Int64(index) * Int64(Self.frameHeaderSize + log.pageSize)
            guard let bytes = try Self.read(file, at: offset, count: Self.frameHeaderSize + log.pageSize, files: files) else { break }
            let hasSalt = bytes.word(8) == log.salt1 && bytes.word(12) == log.salt2
            var checksum = previous
            checksum.add(bytes[0..<8], isBigEndian: log.isBigEndian)
            checksum.add(bytes[Self.frameHeaderSize...], isBigEndian: log.isBigEndian)
            let stored = Checksum(first: bytes.word(16), second: bytes.word(20))
            let isIntact = hasSalt && checksum == stored
            if hasSalt {
                frames.append(Frame(index: index, page: bytes.word(0), isCommit: bytes.word(4) != 0, isIntact: isIntact))
            }
            isReadable = isReadable && isIntact && bytes.word(0) != 0
            if isReadable {
                readable = index + 1
            }
            previous = stored
            index += 1
        }
        self.frames = frames
        readableCount = readable
    }

    /// Whether frames that were acknowledged lie behind one that cannot be verified: a commit there, and another frame after it.
    ///
    /// In FULL mode a commit is on the disk before the next frame is written, so only the last transaction can be torn.
    var isDamaged: Bool {
        guard let commit = frames.first(where: { $0.index > readableCount && $0.isCommit }) else {
            // The first frame that is bad may itself end a transaction.
            guard let bad = frames.first(where: { $0.index == readableCount }), bad.isCommit else { return false }
            return frames.contains { $0.index > bad.index }
        }
        return frames.contains { $0.index > commit.index }
    }

    /// Copies the pages of all intact frames up to the last commit into the database file `target`, so that it can be read without the log.
    func apply(_ path: String, to target: OpenFile, files: any FileLayer) throws(FileError) {
        let file = try files.open(path, .readOnly)
        defer { files.closeAfterFailure(file) }
        let last = frames.last { $0.isCommit }?.index ?? -1
        for frame in frames where frame.isIntact && frame.index <= last && frame.page > 0 {
            let offset = Int64(Self.headerSize) + Int64(frame.index) * Int64(Self.frameHeaderSize + pageSize) + Int64(Self.frameHeaderSize)
            guard let page = try Self.read(file, at: offset, count: pageSize, files: files) else { continue }
            try files.write(target, at: Int64(frame.page - 1) * Int64(pageSize), page.span)
        }
    }

    /// `count` bytes from `offset`, or `nil` when the file ends before.
    private static func read(_ file: OpenFile, at offset: Int64, count: Int, files: any FileLayer) throws(FileError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        return try files.read(file, at: offset, into: &span) == count ? bytes : nil
    }

    private struct Header {
        var isBigEndian: Bool
        var pageSize: Int
        var salt1: UInt32
        var salt2: UInt32
        var checksum: Checksum

        init?(_ bytes: [UInt8]) {
            let magic = bytes.word(0)
            guard magic & ~1 == 0x377F_0682 else { return nil }
            isBigEndian = magic & 1 == 1
            pageSize = Int(bytes.word(8))
            guard pageSize >= 512, pageSize <= 65_536, pageSize & (pageSize - 1) == 0 else { return nil }
            salt1 = bytes.word(16)
            salt2 = bytes.word(20)
            checksum = Checksum()
            checksum.add(bytes[0..<24], isBigEndian: isBigEndian)
            guard checksum == Checksum(first: bytes.word(24), second: bytes.word(28)) else { return nil }
        }
    }

    /// SQLite's running checksum over pairs of 32-bit words.
    private struct Checksum: Equatable {
        var first: UInt32 = 0
        var second: UInt32 = 0

        mutating func add(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) {
            var index = bytes.startIndex
            while index + 8 <= bytes.endIndex {
                first &+= bytes.word(index, isBigEndian: isBigEndian) &+ second
                second &+= bytes.word(index + 4, isBigEndian: isBigEndian) &+ first
                index += 8
            }
        }
    }
}

extension RandomAccessCollection<UInt8> where Index == Int {
    /// The four bytes from `index` as a number.
    fileprivate func word(_ index: Int, isBigEndian: Bool = true) -> UInt32 {
        let (a, b, c, d) = (UInt32(self[index]), UInt32(self[index + 1]), UInt32(self[index + 2]), UInt32(self[index + 3]))
        return isBigEndian ? a << 24 | b << 16 | c << 8 | d : d << 24 | c << 16 | b << 8 | a
    }
}

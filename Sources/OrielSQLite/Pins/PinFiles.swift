import OrielStore
import OrielTelemetry

/// The folder of the files that pins hold, `data/pins`.
enum PinFiles {
    static let folder = "data/pins"

    /// The path of a file below the data folder.
    static func path(_ id: UInt64) -> String { "\(folder)/\(id).seg" }

    /// A file of a pin with its open container.
    struct Opened: Sendable {
        var pin: UInt64
        var file: SegmentFiles.Opened

        var published: PublishedState.PinnedFile {
            PublishedState.PinnedFile(pin: pin, fileID: file.description.fileID, container: file.container)
        }
    }

    /// What an opening finds.
    struct Found: Sendable {
        var opened: [Opened] = []
        /// Files that could not be opened, which may hold rows of deletions.
        var quarantined: [SegmentDescription] = []
    }
}

/// A pin as app.db keeps it.
struct KeptPin: Sendable {
    var id: UInt64
    var created: Timestamp
    var note: String
    var selection: PinSelection
    /// Rows of signals with row numbers belong to the pin when theirs are lower: others came after it.
    var ends: [Signal: UInt64]

    /// Which rows the pin selects, in the form in which rows are found.
    func filter(_ signal: Signal, _ registry: StreamRegistry) -> DeletionFilter {
        let deletion = Deletion(
            signals: selection.signals, range: selection.range, streamMatchers: selection.streamMatchers, traceIDs: selection.traceIDs)
        let tombstone = Tombstone(sequence: CommitSequence(rawValue: .max), time: created, deletion: deletion)
        return DeletionFilter([tombstone], signal: signal, registry: registry)
    }
}

/// What a pin selects, as app.db keeps it; CRC32C at the end: a deletion's record, then the ends of row numbers by signal.
enum PinRecord {
    static func encode(_ pin: KeptPin) -> [UInt8] {
        let selection = pin.selection
        let deletion = Deletion(
            signals: selection.signals, range: selection.range, streamMatchers: selection.streamMatchers, traceIDs: selection.traceIDs)
        var bytes: [UInt8] = []
        bytes.append(counted: TombstoneRecord.encode(Tombstone(sequence: .zero, time: pin.created, deletion: deletion)).span)
        bytes.append(count: pin.ends.count)
        for (signal, end) in pin.ends.sorted(by: { $0.key < $1.key }) {
            bytes.append(signal.rawValue)
            bytes.append(varint: end)
        }
        BlobChecksum.seal(&bytes)
        return bytes
    }

    static func decode(_ blob: Span<UInt8>, id: UInt64, note: String) throws(ColumnError) -> KeptPin {
        let bytes = blob.extracting(0..<(try BlobChecksum.open(blob)))
        var offset = 0
        let record = bytes.extracting(try bytes.readCounted(&offset))
        let tombstone = try TombstoneRecord.decode(record, sequence: .zero)
        let deletion = tombstone.deletion
        var ends: [Signal: UInt64] = [:]
        for _ in 0..<(try bytes.readCount(&offset, limit: Signal.allCases.count)) {
            let position = offset
            guard let signal = Signal(rawValue: try bytes.readByte(&offset)) else { throw ColumnError(.malformed("unknown signal"), at: position) }
            ends[signal] = try bytes.readVarint(&offset)
        }
        let selection = PinSelection(
            signals: deletion.signals, range: deletion.range, streamMatchers: deletion.streamMatchers, traceIDs: deletion.traceIDs)
        return KeptPin(id: id, created: tombstone.time, note: note, selection: selection, ends: ends)
    }
}

public import OrielTelemetry

/// Which rows a pin holds: those of some signals that pass all of this and are visible when the pin is made.
public struct PinSelection: Hashable, Sendable {
    public var signals: Set<Signal>
    public var range: TimeRange
    /// All must match a row's stream.
    public var streamMatchers: [StreamMatcher]
    /// Only rows with one of these trace ids, when given (spans, log records, exemplars).
    public var traceIDs: Set<TraceID>?

    public init(signals: Set<Signal>, range: TimeRange = .all, streamMatchers: [StreamMatcher] = [], traceIDs: Set<TraceID>? = nil) {
        self.signals = signals
        self.range = range
        self.streamMatchers = streamMatchers
        self.traceIDs = traceIDs
    }

    /// Everything of a trace: its spans, log records and exemplars.
    public static func trace(_ id: TraceID) -> PinSelection {
        PinSelection(signals: [.spans, .logs, .exemplars], traceIDs: [id])
    }
}

/// Rows that outlive retention and the disk budget until they are unpinned. Deletions take them all the same.
public struct Pin: Hashable, Sendable, Identifiable {
    /// Never given out again by the store.
    public var id: UInt64
    public var selection: PinSelection
    /// Why it was made, in the words of whoever made it.
    public var note: String
    public var created: Timestamp
    /// Rows that it keeps, and the bytes of their copies. Log records, spans and exemplars that several pins select are counted with one of them.
    public var rowCount: Int
    public var byteCount: Int

    public init(id: UInt64, selection: PinSelection, note: String, created: Timestamp, rowCount: Int = 0, byteCount: Int = 0) {
        self.id = id
        self.selection = selection
        self.note = note
        self.created = created
        self.rowCount = rowCount
        self.byteCount = byteCount
    }
}

/// What an engine can do beyond what every engine must.
public struct StoreCapabilities: OptionSet, Hashable, Sendable {
    public var rawValue: Int

    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// ``TelemetryStore/pin(_:note:)``, ``TelemetryStore/unpin(_:)`` and ``TelemetryStore/pins()``.
    public static let pins = StoreCapabilities(rawValue: 1)
}

extension TelemetryStore {
    public var capabilities: StoreCapabilities { [] }

    public func pin(_ selection: PinSelection, note: String) async throws(StoreError) -> Pin { throw .unsupported("it keeps no pins") }
    public func unpin(_ id: UInt64) async throws(StoreError) -> Bool { throw .unsupported("it keeps no pins") }
    public func pins() async throws(StoreError) -> [Pin] { throw .unsupported("it keeps no pins") }
}

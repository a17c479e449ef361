import OrielTelemetry

/// A stream's number in one ``StreamRegistry``, which never reuses it.
///
/// Inside the engine a ``ColumnBatch`` carries references in `streamIndexes` and leaves `streams` empty; ``StreamRegistry/resolve(_:)`` turns such a batch into one
/// for callers. Files hold their own ordinals instead.
typealias StreamReference = UInt32

import OrielTelemetry

/// What the references of one registry are in another one, which takes the streams over as they are met.
struct StreamTranslation {
    let source: StreamRegistry
    let target: StreamRegistry
    /// By reference of the source; ``StreamDictionary/unknown`` for those not met yet.
    private var known: [StreamReference] = []

    /// No registry calls a stream so either.
    private static let wanted = StreamDictionary.unknown - 1

    init(from source: StreamRegistry, to target: StreamRegistry) {
        self.source = source
        self.target = target
    }

    /// References of the target for some of the source.
    ///
    /// - Parameter isCounted: Whether the streams count against the target's limit; they are taken over either way.
    /// - Returns: ``StreamDictionary/unknown`` for a stream that the target cannot have, which takes another one with the same id.
    mutating func translate(_ references: [StreamReference], isCounted: Bool) -> [StreamReference] {
        if let greatest = references.max(), Int(greatest) >= known.count {
            known.append(contentsOf: repeatElement(StreamDictionary.unknown, count: max(Int(greatest) + 1, source.count) - known.count))
        }
        var missing: [StreamReference] = []
        for reference in references where known[Int(reference)] == StreamDictionary.unknown {
            known[Int(reference)] = StreamTranslation.wanted
            missing.append(reference)
        }
        for (reference, adopted) in zip(missing, target.adopt(missing, of: source, isCounted: isCounted)) { known[Int(reference)] = adopted }
        return references.map { known[Int($0)] }
    }

    /// A batch of the source as one of the target.
    mutating func translate(_ batch: ColumnBatch, isCounted: Bool) -> ColumnBatch {
        var batch = batch
        batch.streamIndexes = translate(batch.streamIndexes, isCounted: isCounted)
        return batch
    }

    /// Rows that were appended, as rows of the target.
    mutating func translate(_ chunk: BuilderChunk, isCounted: Bool) -> BuilderChunk {
        BuilderChunk(chunk, batch: translate(chunk.batch, isCounted: isCounted))
    }
}

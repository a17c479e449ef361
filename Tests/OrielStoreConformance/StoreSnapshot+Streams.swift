public import OrielStore
public import OrielTelemetry

/// A stream of a snapshot.
public struct StreamInformation: Sendable, Hashable {
    public var id: StreamID
    public var descriptor: StreamDescriptor

    public init(id: StreamID, descriptor: StreamDescriptor) {
        self.id = id
        self.descriptor = descriptor
    }
}

extension StoreSnapshot {
    /// What ``streamIDs(_:matching:in:limit:)`` finds, decoded.
    public func streams(
        _ signal: Signal, matching matchers: [StreamMatcher], in range: TimeRange, limit: Int
    ) async throws(StoreError) -> [StreamInformation] {
        let ids = try await streamIDs(signal, matching: matchers, in: range, limit: limit)
        let list = try await streamList(of: ids)
        guard list.ids == ids else { throw .unsupported("of \(ids.count) streams that were found only \(list.count) are known") }
        do {
            return try list.ids.enumerated().map { index, id in StreamInformation(id: id, descriptor: try list.decoded(index)) }
        } catch {
            throw .unsupported("a stream that is listed cannot be read: \(error)")
        }
    }
}

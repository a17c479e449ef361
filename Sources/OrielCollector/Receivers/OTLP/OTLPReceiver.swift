import HTTPTypes
import NIOCore
import OrielCompression
import OrielOTLP
import OrielStore
import OrielTelemetry
import Synchronization

/// Takes OTLP requests: inflate, decode, store, and only then acknowledge.
final class OTLPReceiver: Sendable {
    private struct Decoded: Sendable {
        var writeSet: WriteSet
        var rejections: OTLPRejections
    }

    private let store: any TelemetryStore
    private let worker: IngestWorker
    private let decoders: OTLPDecoderPool
    let statistics: IngestStatistics

    init(store: any TelemetryStore, worker: IngestWorker, options: OTLPDecoder.Options, statistics: IngestStatistics) {
        self.store = store
        self.worker = worker
        self.statistics = statistics
        decoders = OTLPDecoderPool(options: options, capacity: 8)
    }

    /// Takes one request. Returns when its rows are durable.
    ///
    /// - Parameters:
    ///   - body: as it arrived.
    ///   - encodings: how it is compressed, in the order in which that was done.
    ///   - path: where it was sent; with the inflated body it tells a retry from a new request.
    ///   - access: who sent it.
    func receive(
        _ signal: OTLPSignal, format: OTLPFormat, body: ByteBuffer, encodings: [ContentEncoding], path: String,
        reservation: AdmissionReservation, access: Access
    ) async throws(IngestFailure) -> OTLPExportResponse {
        do throws(IngestFailure) {
            let decoders = decoders
            let decoded = try await worker.decode(body, encodings: encodings, reservation: reservation) {
                (bytes) throws(IngestFailure) -> Decoded in
                do throws(OTLPError) {
                    return try decoders.withDecoder { (decoder) throws(OTLPError) in
                        try Self.decode(signal, format, bytes, path: path, decoder: &decoder)
                    }
                } catch {
                    throw .malformed("the request is not valid OTLP \(signal.rawValue): \(error)")
                }
            }
            return try await keep(decoded, in: access.narrow(store), signal: signal, bytes: body.readableBytes)
        } catch {
            statistics.countFailure(error, signal: signal)
            throw error
        }
    }

    private func keep(
        _ decoded: Decoded, in store: any TelemetryStore, signal: OTLPSignal, bytes: Int
    ) async throws(IngestFailure) -> OTLPExportResponse {
        var rejections = decoded.rejections
        var stored = 0
        if !decoded.writeSet.isEmpty {
            let receipt: Receipt
            do throws(StoreError) {
                receipt = try await store.append(decoded.writeSet)
            } catch {
                throw IngestFailure(error)
            }
            stored = decoded.writeSet.rowCount
            for rejection in receipt.rejected {
                rejections.reject(rows: rejection.count, "\(rejection.count) rows of \(rejection.signal.name) \(Self.text(rejection.reason))")
                stored -= min(stored, rejection.count)
            }
        }
        statistics.countRequest(signal: signal, bytes: bytes, rows: stored, rejected: rejections.count)
        return OTLPExportResponse(rejections)
    }

    private static func decode(
        _ signal: OTLPSignal, _ format: OTLPFormat, _ bytes: Span<UInt8>, path: String, decoder: inout OTLPDecoder
    ) throws(OTLPError) -> Decoded {
        var decoded: Decoded
        let now = Timestamp.now
        switch signal {
        case .traces:
            let traces = format == .json ? try decoder.traces(json: bytes) : try decoder.traces(bytes)
            decoded = Decoded(writeSet: WriteSet(batches: [traces.batch.columnBatch]), rejections: traces.rejections)
        case .logs:
            let logs = format == .json ? try decoder.logs(json: bytes, receiveTime: now) : try decoder.logs(bytes, receiveTime: now)
            decoded = Decoded(writeSet: WriteSet(batches: [logs.batch.columnBatch]), rejections: logs.rejections)
        case .metrics:
            let metrics = format == .json ? try decoder.metrics(json: bytes, receiveTime: now) : try decoder.metrics(bytes, receiveTime: now)
            var batches: [ColumnBatch] = []
            if metrics.samples.count > 0 { batches.append(metrics.samples.columnBatch) }
            if metrics.histograms.count > 0 { batches.append(metrics.histograms.columnBatch) }
            if metrics.exemplars.count > 0 { batches.append(metrics.exemplars.columnBatch) }
            decoded = Decoded(
                writeSet: WriteSet(batches: batches, deltas: metrics.deltas, families: metrics.families), rejections: metrics.rejections)
        }
        decoded.writeSet.requestKey = requestKey(path: path, bytes: bytes)
        return decoded
    }

    /// The seeds differ so that both halves of the key are independent.
    private static func requestKey(path: String, bytes: Span<UInt8>) -> RequestKey {
        let seed = ByteHash.hash(Array(path.utf8).span)
        return RequestKey(high: ByteHash.hash(bytes, seed: seed), low: ByteHash.hash(bytes, seed: ~seed))
    }

    private static func text(_ reason: Receipt.Rejection.Reason) -> String {
        switch reason {
        case .beforeRetention: "are older than the retention"
        case .tooFarInFuture: "lie too far in the future"
        case .streamCollision: "belong to a stream whose id is taken by another"
        case .overlappingDelta: "are deltas that overlap the ones before them"
        case .tooManyStreams: "belong to new streams, of which the store holds as many as it may"
        }
    }
}

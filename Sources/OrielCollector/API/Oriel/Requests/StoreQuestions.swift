import OrielStore
import OrielTelemetry

/// Runs a call to the store, its errors becoming the API's.
func asking<Answer>(_ call: () async throws(StoreError) -> Answer) async throws(APIError) -> Answer {
    do {
        return try await call()
    } catch {
        throw APIError(error)
    }
}

/// The rows of a scan, its errors becoming the API's.
struct ScanRows {
    fileprivate let cursor: any ScanCursor

    func next() async throws(APIError) -> ColumnBatch? {
        if Task.isCancelled { throw APIError(status: 503, "the request was cancelled") }
        do {
            return try await cursor.next()
        } catch {
            throw APIError(error)
        }
    }
}

/// Float and histogram samples in one order, the reader's errors becoming the API's.
struct SeriesRows {
    fileprivate var reader: SeriesReader

    mutating func next() async throws(APIError) -> SeriesRun? {
        if Task.isCancelled { throw APIError(status: 503, "the request was cancelled") }
        do {
            return try await reader.next()
        } catch {
            throw APIError(error)
        }
    }
}

extension StoreSnapshot {
    /// Starts a scan of both kinds of samples.
    func series(_ plan: ScanPlan) throws(APIError) -> SeriesRows {
        do {
            return SeriesRows(reader: try SeriesReader(self, plan))
        } catch {
            throw APIError(error)
        }
    }

    /// Starts a scan.
    func rows(_ plan: ScanPlan) throws(APIError) -> ScanRows {
        do {
            return ScanRows(cursor: try scan(plan))
        } catch {
            throw APIError(error)
        }
    }
}

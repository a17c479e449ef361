@testable import OrielClient

extension MetricPush {
    /// One request with all that there is to tell; `nil` when that is nothing.
    mutating func wholeRequest() -> ExportBatch? {
        let request = request(limit: 1 << 30)
        if request == nil { endReading() }
        return request
    }

    /// Says that what ``wholeRequest()`` made has arrived.
    mutating func noteAllDone() {
        noteDone()
        endReading()
    }
}

import OrielTelemetry

/// How much a request of some size usually holds, so that the batch of most requests never moves its arrays.
private struct ExpectedContent {
    let rows: Int
    let entries: Int
    let heap: Int

    init(requestByteCount: Int) {
        rows = 16 + requestByteCount / 512
        entries = requestByteCount / 40
        heap = requestByteCount / 3
    }
}

extension SpanBatch {
    /// Makes room for the spans of a request.
    mutating func reserveCapacity(requestByteCount: Int) {
        let expected = ExpectedContent(requestByteCount: requestByteCount)
        let rows = expected.rows
        streamIndexes.reserveCapacity(rows)
        startTimes.reserveCapacity(rows)
        traceIDs.reserveCapacity(rows)
        spanIDs.reserveCapacity(rows)
        parentSpanIDs.reserveCapacity(rows)
        traceStates.reserveCapacity(rows, bytes: 0)
        names.reserveCapacity(rows, bytes: rows * 16)
        kinds.reserveCapacity(rows)
        durations.reserveCapacity(rows)
        statusCodes.reserveCapacity(rows)
        statusMessages.reserveCapacity(rows, bytes: 0)
        flags.reserveCapacity(rows)
        droppedAttributesCounts.reserveCapacity(rows)
        events.reserveCapacity(rows, bytes: 0)
        droppedEventsCounts.reserveCapacity(rows)
        links.reserveCapacity(rows, bytes: 0)
        droppedLinksCounts.reserveCapacity(rows)
        attributes.reserveCapacity(rows: rows, entries: expected.entries, heap: expected.heap)
    }
}

extension LogBatch {
    /// Makes room for the records of a request.
    mutating func reserveCapacity(requestByteCount: Int) {
        let expected = ExpectedContent(requestByteCount: requestByteCount)
        let rows = expected.rows
        streamIndexes.reserveCapacity(rows)
        times.reserveCapacity(rows)
        traceIDs.reserveCapacity(rows)
        spanIDs.reserveCapacity(rows)
        severityNumbers.reserveCapacity(rows)
        severityTexts.reserveCapacity(rows, bytes: rows * 4)
        bodyTypes.reserveCapacity(rows)
        bodies.reserveCapacity(rows, bytes: requestByteCount / 4)
        observedTimes.reserveCapacity(rows)
        timeOrigins.reserveCapacity(rows)
        flags.reserveCapacity(rows)
        droppedAttributesCounts.reserveCapacity(rows)
        eventNames.reserveCapacity(rows, bytes: 0)
        attributes.reserveCapacity(rows: rows, entries: expected.entries, heap: expected.heap)
    }
}

public import OrielStore
public import OrielTelemetry

/// The pins of a store, as plain functions from requests to answers: the daemon serves them under ``path``, and the command line calls them in process on a store
/// without a daemon.
public struct PinAPI: Sendable {
    public static let path = "/api/oriel/admin/v1/pins"

    let store: any TelemetryStore
    private let clock: @Sendable () -> Timestamp

    /// - Parameter clock: What relative times refer to; tests set it.
    public init(store: any TelemetryStore, clock: @escaping @Sendable () -> Timestamp = { .now }) {
        self.store = store
        self.clock = clock
    }

    /// All pins, oldest first: `{"pins":[…]}`.
    public func list() async -> APIAnswer {
        do throws(APIError) {
            let pins = try await pins()
            var writer = JSONWriter()
            writer.object { $0.member("pins", objects: pins) { $0.pin($1) } }
            return APIAnswer(json: writer.bytes)
        } catch {
            return APIAnswer(error)
        }
    }

    /// Pins what a body asks for. Answers with the pin when it is durable, which takes as long as its rows take to be copied.
    ///
    /// - Parameters:
    ///   - body: see ``PinRequest``.
    ///   - note: is told of the pin, with an error when it was not made.
    public func pin(_ body: [UInt8], note: (PinSelection?, Pin?, _ error: String?) -> Void = { _, _, _ in }) async -> APIAnswer {
        var selection: PinSelection?
        do throws(APIError) {
            let request = try PinRequest(body, now: clock())
            selection = request.selection
            guard try await hasRows(request.selection) else {
                throw APIError(status: 404, "there is nothing to pin: no row of \(request.selection.text)")
            }
            let pin = try await make(request)
            note(pin.selection, pin, nil)
            return Self.answer(pin, status: 201)
        } catch {
            note(selection, nil, error.message)
            return APIAnswer(error)
        }
    }

    /// Gives a pin up. Answers with what it was.
    ///
    /// - Parameters:
    ///   - id: as a listing tells it.
    ///   - note: is told of the pin, with an error when it was not given up.
    public func unpin(_ id: String, note: (Pin?, _ error: String?) -> Void = { _, _ in }) async -> APIAnswer {
        var pin: Pin?
        do throws(APIError) {
            let pins = try await pins()
            let found = pins.first { String($0.id) == id }
            pin = found
            guard let found, try await asking({ () async throws(StoreError) in try await store.unpin(found.id) }) else {
                let known = pins.prefix(20).map { String($0.id) }.joined(separator: ", ") + (pins.count > 20 ? ", …" : "")
                throw APIError(status: 404, "there is no pin \"\(id.prefix(100))\"; " + (pins.isEmpty ? "nothing is pinned" : "pinned are \(known)"))
            }
            note(found, nil)
            return Self.answer(found, status: 200)
        } catch {
            note(pin, error.message)
            return APIAnswer(error)
        }
    }

    private func pins() async throws(APIError) -> [Pin] {
        try await asking { () async throws(StoreError) in try await store.pins() }
    }

    private func make(_ request: PinRequest) async throws(APIError) -> Pin {
        do throws(StoreError) {
            return try await store.pin(request.selection, note: request.note)
        } catch {
            // A store that keeps pins does not keep these: they are too many, or too large.
            if case .unsupported = error, store.capabilities.contains(.pins) { throw APIError(status: 422, error.description) }
            throw APIError(error)
        }
    }

    /// Whether there is anything to keep. A pin may count no rows of its own and keep some all the same, those of other pins.
    private func hasRows(_ selection: PinSelection) async throws(APIError) -> Bool {
        let deadline = Timestamp.now.advanced(by: OrielAPI.timeLimit)
        let snapshot = try await asking { () async throws(StoreError) in try store.snapshot() }
        for signal in selection.signals.sorted() {
            let plan = ScanPlan(
                signal: signal, range: selection.range, streamMatchers: selection.streamMatchers, traceIDs: selection.traceIDs, projection: .positions,
                limit: 1, deadline: deadline)
            let rows = try snapshot.rows(plan)
            while let batch = try await rows.next() {
                if batch.count > 0 { return true }
            }
        }
        return false
    }

    private static func answer(_ pin: Pin, status: Int) -> APIAnswer {
        var writer = JSONWriter()
        writer.object { $0.pin(pin) }
        var answer = APIAnswer(json: writer.bytes)
        answer.status = status
        return answer
    }
}

extension PinSelection {
    /// The conditions in words, without signals and time.
    var filterText: String { Deletion(signals: signals, streamMatchers: streamMatchers, traceIDs: traceIDs).filterText }

    /// All of it in words.
    fileprivate var text: String {
        var text = signals.sorted().map(\.name).joined(separator: ", ")
        if range.start != TimeRange.all.start { text += " from \(range.start.rfc3339)" }
        if range.end != TimeRange.all.end { text += " until \(range.end.rfc3339)" }
        return streamMatchers.isEmpty && traceIDs == nil ? text : text + " with \(filterText)"
    }
}

extension JSONWriter {
    /// The members of a pin.
    fileprivate mutating func pin(_ pin: Pin) {
        member("id", String(pin.id))
        selection(signals: pin.selection.signals, range: pin.selection.range, filter: pin.selection.filterText)
        member("note", pin.note)
        time("created", pin.created)
        member("rows", pin.rowCount)
        member("bytes", pin.byteCount)
    }
}

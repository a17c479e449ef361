import OrielStore
import OrielTelemetry

/// `GET services`: what sent spans or log records.
extension OrielAPI {
    static let servicesParameters = ["start", "end", "since"]

    func services(_ parameters: RequestParameters) async throws(APIError) -> APIAnswer {
        let range = try parameters.timeRange()
        let snapshot = try snapshot()
        var signals: [String: [Signal]] = [:]
        for signal in [Signal.spans, .logs] {
            let names = try await asking { () async throws(StoreError) in try await snapshot.labelValues("service.name", signal, matching: [], in: range) }
            for name in names { signals[name, default: []].append(signal) }
        }
        let names = signals.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("services")
            writer.array { writer in
                for name in names.prefix(RequestParameters.maximumLimit) {
                    writer.object { writer in
                        writer.member("name", name)
                        writer.key("signals")
                        writer.array { writer in
                            for signal in signals[name] ?? [] { writer.string(signal.name) }
                        }
                    }
                }
            }
        }
        return APIAnswer(json: writer.bytes)
    }
}

import OrielStore
import OrielTelemetry

/// What people call the data of a store, and what that is in it.
enum SignalKind: String, CaseIterable, Sendable {
    case logs
    case spans
    case metrics

    var signals: Set<Signal> {
        switch self {
        case .logs: [.logs]
        case .spans: [.spans]
        case .metrics: [.samples, .histograms, .exemplars]
        }
    }

    /// Those that member `signal` of a request names, each once; none when it is not there.
    static func named(in parameters: RequestParameters) throws(APIError) -> [SignalKind] {
        let known = allCases.map(\.rawValue)
        var kinds: [SignalKind] = []
        for word in parameters.all("signal") {
            guard let kind = SignalKind(rawValue: word.lowercased()) else {
                let hint = word.lowercased() == "traces" ? "; the spans of a whole trace are spans with its trace_id" : Suggestion.hint(for: word, in: known)
                throw .invalid("signal", word, expected: known.joined(separator: ", ") + hint)
            }
            if !kinds.contains(kind) { kinds.append(kind) }
        }
        return kinds
    }
}

import OrielStore
import OrielTelemetry

/// What somebody asks to have deleted: the body of a POST, as ``AdministrationBody`` reads it.
struct DeletionRequest: Sendable {
    let parameters: RequestParameters
    let kinds: [SignalKind]
    let range: TimeRange
    /// Whether rows are only counted.
    let isDryRun: Bool

    static let members: [String] = {
        var members = ["signal", "start", "end", "since"]
        for filter in SignalKind.allCases.flatMap(\.filters) where !members.contains(filter) { members.append(filter) }
        return members + ["dry_run"]
    }()

    /// - Parameter now: what relative times refer to.
    init(_ body: [UInt8], now: Timestamp) throws(APIError) {
        let members = try AdministrationBody.members(body, example: #"{"signal": "logs", "since": "1h", "service": "shop"}"#)
        let parameters = try RequestParameters(members, known: DeletionRequest.members, now: now)
        self.parameters = parameters
        kinds = try SignalKind.named(in: parameters)
        guard !kinds.isEmpty else {
            let known = SignalKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw APIError(status: 400, "say what: signal is one or several of \(known)", parameter: "signal")
        }
        for kind in kinds {
            for name in Set(members.map(\.name)).subtracting(["signal", "start", "end", "since", "dry_run"] + kind.filters).sorted() {
                throw APIError(
                    status: 400, "\(kind.rawValue) cannot be chosen by \(name); they can by \(kind.filters.joined(separator: ", "))", parameter: name)
            }
        }
        let isBounded = ["start", "since", "end"].contains { !parameters.all($0).isEmpty }
        // A trace is looked up wherever it lies; else somebody who forgets the time would lose everything.
        guard isBounded || !parameters.all("trace_id").isEmpty else {
            throw APIError(status: 400, "say from when or until when: start (or since), end, or both", parameter: "start")
        }
        range = try parameters.timeRange(defaultStart: TimeRange.all.start)
        isDryRun = try parameters.bool("dry_run")
    }

    /// What the store is to delete, one for each kind.
    ///
    /// - Parameter families: what the store knows about metrics, when they are asked for by name.
    func deletions(families: MetricFamilies) throws(APIError) -> [Deletion] {
        var deletions: [Deletion] = []
        for kind in kinds {
            var deletion = Deletion(signals: kind.signals, range: range)
            switch kind {
            case .logs:
                let filter = try LogFilter(parameters)
                (deletion.streamMatchers, deletion.traceIDs, deletion.predicate) = (filter.matchers, filter.traceIDs, filter.predicate)
            case .spans:
                let filter = try SpanFilter(parameters)
                (deletion.streamMatchers, deletion.traceIDs, deletion.predicate) = (filter.matchers, filter.traceIDs, filter.predicate)
            case .metrics:
                for text in parameters.all("label") {
                    deletion.streamMatchers.append(try AttributeCondition(text, parameter: "label").labelMatcher(parameter: "label"))
                }
                if let name = try parameters.single("name") {
                    let names = families.seriesNames(of: name)
                    if names.count == 1 {
                        deletion.streamMatchers.append(StreamMatcher(Label.metricName, .equal, name))
                    } else {
                        deletion.predicate = .isOneOf(.resourceAttribute(Label.metricName), names.map { .string($0) }, missing: .isFalse)
                    }
                }
            }
            deletions.append(deletion)
        }
        return deletions
    }
}

extension SignalKind {
    /// The filters that its rows can be deleted by.
    fileprivate var filters: [String] {
        switch self {
        case .logs: LogFilter.parameters
        case .spans: SpanFilter.parameters
        case .metrics: ["name", "label"]
        }
    }
}

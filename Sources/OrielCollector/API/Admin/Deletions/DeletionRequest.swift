import OrielStore
import OrielTelemetry

/// What somebody asks to have deleted: the body of a POST, a JSON object whose members are named and mean what the query parameters of the API do. A member that may
/// be repeated there is a list here.
struct DeletionRequest: Sendable {
    /// What can be named, and what that is in the store.
    enum Kind: String, CaseIterable, Sendable {
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

        /// The filters that its rows can be chosen by.
        var filters: [String] {
            switch self {
            case .logs: LogFilter.parameters
            case .spans: SpanFilter.parameters
            case .metrics: ["name", "label"]
            }
        }
    }

    let parameters: RequestParameters
    let kinds: [Kind]
    let range: TimeRange
    /// Whether rows are only counted.
    let isDryRun: Bool

    static let members: [String] = {
        var members = ["signal", "start", "end", "since"]
        for filter in Kind.allCases.flatMap(\.filters) where !members.contains(filter) { members.append(filter) }
        return members + ["dry_run"]
    }()

    /// - Parameter now: what relative times refer to.
    init(_ body: [UInt8], now: Timestamp) throws(APIError) {
        let members = try DeletionRequest.read(body)
        let parameters = try RequestParameters(members, known: DeletionRequest.members, now: now)
        self.parameters = parameters
        kinds = try DeletionRequest.kinds(parameters)
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

    private static func kinds(_ parameters: RequestParameters) throws(APIError) -> [Kind] {
        let known = Kind.allCases.map(\.rawValue)
        var kinds: [Kind] = []
        for word in parameters.all("signal") {
            guard let kind = Kind(rawValue: word.lowercased()) else {
                let hint = word.lowercased() == "traces" ? "; the spans of a whole trace are spans with its trace_id" : Suggestion.hint(for: word, in: known)
                throw .invalid("signal", word, expected: known.joined(separator: ", ") + hint)
            }
            if !kinds.contains(kind) { kinds.append(kind) }
        }
        guard !kinds.isEmpty else { throw APIError(status: 400, "say what: signal is one or several of \(known.joined(separator: ", "))", parameter: "signal") }
        return kinds
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

    // MARK: The body

    private static func read(_ body: [UInt8]) throws(APIError) -> [(name: String, value: String)] {
        do throws(JSONError) {
            return try members(body)
        } catch {
            throw APIError(status: 400, "the body is not an object such as {\"signal\": \"logs\", \"since\": \"1h\", \"service\": \"shop\"}: \(error)")
        }
    }

    private static func members(_ body: [UInt8]) throws(JSONError) -> [(name: String, value: String)] {
        let bytes = body.span
        var reader = JSONReader()
        var members: [(name: String, value: String)] = []
        try reader.beginObject(in: bytes)
        while let token = try reader.nextKey(in: bytes) {
            let name = reader.string(token, in: bytes)
            if try reader.peekKind(in: bytes) == .array {
                try reader.beginArray(in: bytes)
                while try reader.nextElement(in: bytes) { members.append((name, try value(&reader, body))) }
            } else {
                members.append((name, try value(&reader, body)))
            }
        }
        try reader.finish(in: bytes)
        return members
    }

    /// Text as it is, numbers and booleans as they are spelled.
    private static func value(_ reader: inout JSONReader, _ body: [UInt8]) throws(JSONError) -> String {
        let bytes = body.span
        switch try reader.peekKind(in: bytes) {
        case .null:
            _ = try reader.skipNull(in: bytes)
            return ""
        case .number, .bool:
            let start = reader.offset
            try reader.skipValue(in: bytes)
            return String(decoding: body[start..<reader.offset], as: UTF8.self)
        // The reader says what it found instead of a text.
        case .string, .array, .object: return try reader.string(in: bytes)
        }
    }
}

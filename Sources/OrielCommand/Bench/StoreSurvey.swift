import OrielTelemetry

/// Finds out through the API what a store holds, so that it can be asked for things that are there.
///
/// Ids and values are drawn from random instants of the whole time that the store covers. How much is drawn does not depend on the store's size.
struct StoreSurvey: ~Copyable {
    private static let epoch = "1970-01-01T00:00:00Z"
    /// How many targets a question chooses from.
    private static let choices = 200
    /// What a page of traces or log records shows on a screen.
    private static let page = "100"

    private var client: StoreClient
    private var random: SeededRandom

    init(_ endpoint: LoadEndpoint, seed: UInt64) throws(LoadError) {
        client = try StoreClient(endpoint)
        random = SeededRandom(seed: seed)
    }

    /// All questions that the store can be asked; those about signals that it has no rows of are left out.
    mutating func questions() throws -> [StoreQuestion] {
        let found = try traceQuestions() + logQuestions() + seriesQuestions()
        return found.filter { !$0.targets.isEmpty }
    }

    // MARK: Traces

    private mutating func traceQuestions() throws -> [StoreQuestion] {
        let newest = try client.list(TraceSummaryAnswer.self, "traces", ["start": Self.epoch, "limit": "1"])
        guard let last = newest.first?.start.value else { return [] }
        let first = try oldest(before: last) { client, end throws in
            try !client.list(TraceSummaryAnswer.self, "traces", ["start": Self.epoch, "end": end, "limit": "1"]).isEmpty
        }
        var summaries: [String: TraceSummaryAnswer] = [:]
        for end in instants(from: first, to: last, count: 40) {
            for summary in try client.list(TraceSummaryAnswer.self, "traces", ["start": Self.epoch, "end": end, "limit": "25"]) {
                summaries[summary.traceID] = summary
            }
        }
        let traces = summaries.values.sorted { $0.traceID < $1.traceID }
        var questions: [StoreQuestion] = []
        questions.append(
            StoreQuestion(
                name: "trace by id", member: "spans", targets: pick(traces.map(\.traceID)).map { StoreQuestion.target("traces/\($0)", [:]) }))
        questions.append(
            StoreQuestion(
                name: "newest traces of a service", member: "traces",
                targets: Set(traces.flatMap(\.services)).sorted().map {
                    StoreQuestion.target("traces", ["start": Self.epoch, "service": $0, "limit": Self.page])
                }))
        questions.append(
            StoreQuestion(name: "service and minimum duration", member: "traces", targets: try slowTraceTargets(traces)))
        questions.append(StoreQuestion(name: "attribute", member: "traces", targets: try attributeTargets(traces)))
        return questions
    }

    /// For each service the traces that last so long that they fill no page: all of the time has to be looked at.
    private mutating func slowTraceTargets(_ traces: [TraceSummaryAnswer]) throws -> [String] {
        var targets: [String] = []
        for service in Set(traces.flatMap(\.services)).sorted() {
            var duration = traces.lazy.filter { $0.services.contains(service) }.map(\.duration.value).max() ?? 0
            var target = ""
            for _ in 0..<20 {
                let parameters: KeyValuePairs = ["start": Self.epoch, "service": service, "min_duration": "\(duration)ns", "limit": Self.page]
                target = StoreQuestion.target("traces", parameters)
                let count = try client.list(TraceSummaryAnswer.self, "traces", parameters).count
                if count < 100 { break }
                duration += duration / 10
            }
            targets.append(target)
        }
        return targets
    }

    /// Values of attributes that only one of some traces has.
    private mutating func attributeTargets(_ traces: [TraceSummaryAnswer]) throws -> [String] {
        var conditions: [String: Int] = [:]
        for summary in pick(traces, count: 60) {
            let trace = try AnswerList.decode(TraceAnswer.self, try client.get(StoreQuestion.target("traces/\(summary.traceID)", [:])))
            var found: Set<String> = []
            for attribute in trace.spans.flatMap(\.attributes) {
                if case .string(let value) = attribute.value.value, !value.isEmpty, value.utf8.count <= 64 { found.insert("\(attribute.key)=\(value)") }
            }
            for condition in found { conditions[condition, default: 0] += 1 }
        }
        return pick(conditions.filter { $0.value == 1 }.keys.sorted()).map {
            StoreQuestion.target("traces", ["start": Self.epoch, "attribute": $0, "limit": Self.page])
        }
    }

    // MARK: Log records

    private struct LogSample: Decodable {
        struct Resource: Decodable {
            var attributes: [AttributeRow]
        }

        var service: String
        var body: ValueRow
        var resource: Resource
    }

    private mutating func logQuestions() throws -> [StoreQuestion] {
        func bound(_ order: String) throws -> Int64? {
            try client.list(LogRow.self, "logs", ["start": Self.epoch, "order": order, "limit": "1"]).first?.time.value
        }
        guard let first = try bound("oldest"), let last = try bound("newest") else { return [] }
        var samples: [LogSample] = []
        for end in instants(from: first, to: last, count: 40) {
            samples += try client.list(LogSample.self, "logs", ["start": Self.epoch, "end": end, "limit": "25"])
        }
        let tokens = Self.rareTokens(samples)
        var questions: [StoreQuestion] = []
        questions.append(StoreQuestion(name: "newest logs of a stream", member: "logs", targets: streamTargets(samples)))
        questions.append(StoreQuestion(name: "rare token", member: "logs", targets: pick(tokens).map { Self.textTarget($0, "words") }))
        // A part of a token that begins within it, which no index of whole tokens knows.
        questions.append(
            StoreQuestion(name: "substring", member: "logs", targets: pick(tokens).map { Self.textTarget(String($0.dropFirst().dropLast()), "text") }))
        // No page fills, so that all texts are read.
        questions.append(StoreQuestion(name: "absent substring", member: "logs", targets: [Self.textTarget("zq7nowhere", "text")]))
        return questions
    }

    private mutating func streamTargets(_ samples: [LogSample]) -> [String] {
        var targets: Set<String> = []
        for sample in samples {
            let instance = sample.resource.attributes.first { $0.key == "service.instance.id" }?.value.value
            if case .string(let instance)? = instance {
                targets.insert(
                    StoreQuestion.target(
                        "logs",
                        [
                            "start": Self.epoch, "service": sample.service, "attribute": "service.instance.id=\(instance)", "limit": Self.page,
                        ]))
            } else {
                targets.insert(StoreQuestion.target("logs", ["start": Self.epoch, "service": sample.service, "limit": Self.page]))
            }
        }
        return pick(targets.sorted())
    }

    private static func textTarget(_ text: String, _ parameter: String) -> String {
        StoreQuestion.target("logs", ["start": epoch, parameter: text, "limit": page])
    }

    /// The longest words with digits that one record alone has.
    private static func rareTokens(_ samples: [LogSample]) -> [String] {
        var counts: [String: Int] = [:]
        for sample in samples {
            guard case .string(let body) = sample.body.value else { continue }
            let words = Set(body.split { !($0.isLetter || $0.isNumber) })
            for word in words where word.count >= 6 && word.contains(where: \.isNumber) { counts[String(word), default: 0] += 1 }
        }
        let rare = counts.filter { $0.value == 1 }.keys.sorted { ($0.count, $0) > ($1.count, $1) }
        return Array(rare.prefix(Self.choices))
    }

    // MARK: Series

    private mutating func seriesQuestions() throws -> [StoreQuestion] {
        let names = try client.list(MetricRow.self, "metrics", ["start": Self.epoch, "limit": "1000"]).map(\.name)
        guard let name = names.first else { return [] }
        guard let one = try client.list(SeriesRow.self, "series", ["start": Self.epoch, "name": name, "limit": "1"]).first else { return [] }
        let target = Self.seriesTarget(one)
        let times = try AnswerList.elements("series", of: try client.get(target)).elements
            .flatMap { try AnswerList.decode(SeriesRow.self, $0).points ?? [] }.map(\.time.value)
        guard let last = times.last else { return [] }
        let interval = zip(times, times.dropFirst()).map { $1 - $0 }.min() ?? 60_000_000_000
        var rows: [SeriesRow] = []
        for name in pick(names, count: 10) {
            rows += try client.list(SeriesRow.self, "series", ["start": "\(last)", "name": name, "limit": "100"])
        }
        if rows.isEmpty { rows = [one] }
        // A span of one interval holds one sample of each series.
        let instants = pick(times, count: 50).map { StoreQuestion.target("series", ["start": "\($0)", "end": "\($0 + interval)", "limit": "100000"]) }
        return [
            StoreQuestion(name: "one series", member: "series", targets: pick(rows).map(Self.seriesTarget)),
            StoreQuestion(name: "all series at an instant", member: "series", targets: instants, hasPages: true),
        ]
    }

    /// A series with all its points.
    private static func seriesTarget(_ row: SeriesRow) -> String {
        let labels = row.labels.sorted { $0.key < $1.key }.map { "&label=" + QueryTarget.encode("\($0.key)=\($0.value)") }.joined()
        return StoreQuestion.target("series", ["start": epoch, "name": row.name, "points": "all"]) + labels
    }

    // MARK: Drawing

    /// The start of the oldest row, to the second, when `hasRows` tells whether there are any before a time.
    private mutating func oldest(before last: Int64, hasRows: (inout StoreClient, _ end: String) throws -> Bool) throws -> Int64 {
        var low: Int64 = 0
        var high = last + 1
        while high - low > 1_000_000_000 {
            let middle = low + (high - low) / 2
            if try hasRows(&client, Self.time(middle)) { high = middle } else { low = middle }
        }
        return low
    }

    private mutating func instants(from first: Int64, to last: Int64, count: Int) -> [String] {
        (0..<count).map { _ in Self.time(first + Int64(random.fraction() * Double(last - first)) + 1) }
    }

    private static func time(_ nanoseconds: Int64) -> String {
        Timestamp(nanoseconds: nanoseconds).rfc3339
    }

    /// Some of the elements, at random.
    private mutating func pick<Element>(_ elements: [Element], count: Int = choices) -> [Element] {
        Array(elements.shuffled(using: &random).prefix(count))
    }
}

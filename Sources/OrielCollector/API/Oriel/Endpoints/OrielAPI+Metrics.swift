import OrielStore
import OrielTelemetry

/// `GET metrics`: the metrics that have series, by name, with what is known about them.
extension OrielAPI {
    static let metricsParameters = ["start", "end", "since", "name", "text", "limit", "cursor"]

    func metrics(_ parameters: RequestParameters) async throws(APIError) -> APIAnswer {
        let page = try PageRequest(parameters, list: "metrics")
        let pattern = try parameters.single("name")
        let text = try parameters.single("text")?.lowercased()
        let snapshot = try snapshot()
        let families = MetricFamilies(try await asking { () async throws(StoreError) in try await snapshot.families() })
        var found: [String: MetricFamily] = [:]
        for signal in [Signal.samples, .histograms] {
            let names = try await asking { () async throws(StoreError) in
                try await snapshot.labelValues(Label.metricName, signal, matching: [], in: page.range)
            }
            for name in names {
                let family = families.family(ofSeries: name)
                found[family.name] = family
            }
        }
        let passing = found.values.filter { family in
            if let pattern, !Self.matches(family.name, pattern: pattern) { return false }
            guard let text else { return true }
            return family.name.lowercased().contains(text) || family.help.lowercased().contains(text)
        }
        let sorted = passing.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let rest = sorted.drop { family in page.position.map { !$0.utf8.lexicographicallyPrecedes(family.name.utf8) } ?? false }
        let shown = Array(rest.prefix(page.limit))

        var writer = JSONWriter()
        writer.object { writer in
            writer.key("metrics")
            writer.array { writer in
                for family in shown {
                    writer.object { writer in
                        writer.member("name", family.name)
                        writer.member("type", family.kind.name)
                        writer.member("unit", family.unit)
                        writer.member("help", family.help)
                    }
                }
            }
            writer.member("next", optional: shown.count < rest.count ? shown.last.map { page.next(after: $0.name) } : nil)
        }
        return APIAnswer(json: writer.bytes)
    }

    /// Whether a name equals a pattern in which `*` stands for any text.
    ///
    /// Complexity: O(*name* · *pattern*) at worst.
    static func matches(_ name: String, pattern: String) -> Bool {
        let name = Array(name.utf8)
        let pattern = Array(pattern.utf8)
        var position = 0
        var patternPosition = 0
        // Where to go on when what follows the latest star does not match.
        var star: (pattern: Int, name: Int)?
        while position < name.count {
            if patternPosition < pattern.count, pattern[patternPosition] == UInt8(ascii: "*") {
                star = (patternPosition, position)
                patternPosition += 1
            } else if patternPosition < pattern.count, pattern[patternPosition] == name[position] {
                position += 1
                patternPosition += 1
            } else if let (starPattern, starName) = star {
                star = (starPattern, starName + 1)
                patternPosition = starPattern + 1
                position = starName + 1
            } else {
                return false
            }
        }
        return pattern[patternPosition...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

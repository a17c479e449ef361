import ArgumentParser
import OrielTelemetry

/// A trace id as a person gives it: all of it, or its first digits.
enum TraceIDText {
    /// Refuses what is neither.
    static func check(_ text: String) throws(ValidationError) {
        guard (8...32).contains(text.utf8.count), text.utf8.allSatisfy({ Hexadecimal.nibble($0) != nil }) else {
            throw ValidationError("\"\(text)\" is no trace id: expected 32 hexadecimal digits, or the first 8 or more of them")
        }
    }

    /// All digits of an id: of the one trace in a window of time whose id begins so.
    static func complete(_ text: String, _ service: any QueryService, _ window: (start: Timestamp, end: Timestamp?)) async throws -> String {
        let prefix = text.lowercased()
        if prefix.utf8.count == 32 { return prefix }
        var target = QueryTarget("traces")
        target.add(window)
        let traces = try await service.list("traces", target, limit: 100_000).map { try AnswerList.decode(TraceSummaryAnswer.self, $0) }
        let found = traces.filter { $0.traceID.hasPrefix(prefix) }
        guard let first = found.first else {
            throw CommandFailure(
                "no trace that started since \(window.start.rfc3339) has an id that begins with \(prefix); look further back with --since, or give all 32 digits",
                .nothingFound)
        }
        guard found.count == 1 else {
            let list = found.prefix(10).map { "  \($0.traceID)  \(TerminalText.safe($0.rootName))" }.joined(separator: "\n")
            throw CommandFailure("\(found.count) traces have ids that begin with \(prefix):\n\(list)")
        }
        return first.traceID
    }
}

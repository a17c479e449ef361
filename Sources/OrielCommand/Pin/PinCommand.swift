import ArgumentParser
import NIOCore
import OrielCollector
import OrielTelemetry

/// `oriel pin`: keeps a trace or a window of time beyond retention.
struct PinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Keep a trace, or a window of time, beyond retention and the disk budget.",
        discussion: """
            What is there now is copied, and stays until `oriel unpin`; what comes in later is not in the pin. `oriel delete` takes pinned rows all the same.
            ID is a trace id of 32 hexadecimal digits, or the first 8 or more of one that started in the last 24 hours: its spans, log records and exemplars are kept.
            Exit status: 0 pinned, 1 error, 2 usage, 3 there was nothing to pin.

            Examples:
              oriel pin 0af7651916cd43dd8448eb211c80319c --note "checkout fails, ticket 4711"
              oriel pin --since 2h --end 1h --service checkout
              oriel pin --since "yesterday 14:00" --end "yesterday 15:00" --signal logs --signal spans --note "outage"
            """)

    @Argument(help: ArgumentHelp("Of a trace: its id, or its first digits.", valueName: "id"))
    var id: String?

    @Option(
        help: ArgumentHelp("From when: a duration before now (15m, 1h, 2d), RFC 3339, unix seconds or milliseconds, \"yesterday 14:00\".", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Another name for --since.", valueName: "time"))
    var start: String?

    @Option(help: ArgumentHelp("Until when; the same forms. Alone: all that is older.", valueName: "time"))
    var end: String?

    @Option(help: "Of a window: logs, spans or metrics. May be repeated. By default all, with --service logs and spans.")
    var signal: [String] = []

    @Option(name: [.short, .long], help: "Of a window: name of the service.")
    var service: String?

    @Option(name: [.short, .long], help: ArgumentHelp("Why, for whoever sees the pin later.", valueName: "text"))
    var note: String?

    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    /// How long copying may take.
    static let patience = TimeAmount.hours(1)

    func validate() throws {
        let ofWindow = since != nil || start != nil || end != nil || service != nil || !signal.isEmpty
        if let id {
            if ofWindow { throw ValidationError("a trace is pinned whole, and takes no --since, --start, --end, --signal or --service") }
            try TraceIDText.check(id)
        } else if since == nil, start == nil, end == nil {
            throw ValidationError("say what to keep: a trace's id, or a window of time with --since, --end or both")
        }
        if since != nil, start != nil { throw ValidationError("--since and --start mean the same; give one of them") }
    }

    func run() async throws {
        let now = Timestamp.now
        let lower = try time(since ?? start, now)
        let upper = try time(end, now)
        try await source.withService(isChanging: true, patience: Self.patience) { service in
            var traceID: String?
            if let id { traceID = try await TraceIDText.complete(id, service, (now.advanced(by: -86_400_000_000_000), nil)) }
            let (status, answer) = try await service.post(PinAPI.path, body: body(traceID, lower, upper))
            guard status == 201 else { throw service.failure(status, answer) }
            try AnswerPrinter(output).show([answer[...]], as: PinAnswer.self)
        }
    }

    private func time(_ text: String?, _ now: Timestamp) throws -> Timestamp? {
        guard let text else { return nil }
        guard let time = TimeExpression.timestamp(text, now: now, zone: output.utc ? .utc : .local) else {
            throw CommandFailure("\"\(text)\" is no time: expected \(TimeExpression.forms)", .usage)
        }
        return time
    }

    private func body(_ traceID: String?, _ start: Timestamp?, _ end: Timestamp?) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            let single: KeyValuePairs<String, String?> = [
                "trace_id": traceID, "start": start?.rfc3339, "end": end?.rfc3339, "service": service, "note": note,
            ]
            for case (let name, let value?) in single {
                writer.key(name)
                writer.string(value)
            }
            writer.key("signal")
            writer.array { writer in
                for word in signal { writer.string(word) }
            }
        }
        return writer.bytes
    }
}

import ArgumentParser
import Glibc
import OrielCollector
import OrielTelemetry

/// `oriel delete`: removes telemetry by time and filter.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete log records, spans or metric samples, for good.",
        discussion: """
            Deleted rows are gone from all answers at once, and from the disk when the files that held them were written anew; --wait waits for that. What comes in later
            stays, also when it fits. Each deletion is a line of the server's log and, with its receipt, of --list.
            Exit status: 0 deleted, 1 error, 2 usage, 3 there was nothing to delete.

            Examples:
              oriel delete logs --service checkout --since 1h --dry-run
              oriel delete logs spans --trace-id 0af7651916cd43dd8448eb211c80319c --yes --wait
              oriel delete logs --attribute enduser.id=4711 --end now
              oriel delete metrics --name http_requests_total --label instance=old:9090 --end now
              oriel delete --list
            """)

    @Argument(help: ArgumentHelp("What: logs, spans, metrics, or several of them.", valueName: "signal"))
    var signals: [String] = []

    @OptionGroup(title: "What is deleted") var filter: DeletionFilterOptions

    @Flag(help: "Count what would be deleted, and delete nothing.")
    var dryRun = false

    @Flag(name: [.short, .long], help: "Do not count and do not ask.")
    var yes = false

    @Flag(help: "Wait until the rows are gone from the disk too.")
    var wait = false

    @Flag(help: "List the deletions that are under way and the last that are complete.")
    var list = false

    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if list {
            if !signals.isEmpty || dryRun || yes || wait { throw ValidationError("--list deletes nothing and takes no signal, --dry-run, --yes or --wait") }
        } else {
            if signals.isEmpty { throw ValidationError("say what: logs, spans, metrics, or several of them; or --list") }
            if dryRun, wait { throw ValidationError("--dry-run deletes nothing that --wait could wait for") }
        }
        if filter.since != nil, filter.start != nil { throw ValidationError("--since and --start mean the same; give one of them") }
        if let traceID = filter.traceID, TraceID(hexadecimal: traceID) == nil { throw ValidationError("--trace-id needs 32 hexadecimal digits") }
    }

    func run() async throws {
        let printer = AnswerPrinter(output)
        if list {
            return try await source.withService(isChanging: true) { service in
                let deletions = try AnswerList.elements("deletions", of: try await service.answer(DeletionAPI.path)).elements
                try printer.show(deletions, as: DeletionAnswer.self)
                if deletions.isEmpty { throw CommandFailure("nothing was deleted yet", .nothingFound) }
            }
        }
        let range = try filter.range(isUTC: output.utc, now: .now)
        try await source.withService(isChanging: true) { service in
            if dryRun || !yes {
                let plan = try AnswerList.elements("plan", of: try await post(service, body(range, isDryRun: true))).elements
                let rows = try plan.map { try AnswerList.decode(DeletionPlanAnswer.self, $0) }
                if dryRun { try printer.show(plan, as: DeletionPlanAnswer.self) }
                if rows.allSatisfy({ $0.rows == 0 }) { throw CommandFailure("there is nothing to delete", .nothingFound) }
                if dryRun { return }
                try confirm(rows, printer)
            }
            var made = try AnswerList.elements("deletions", of: try await post(service, body(range, isDryRun: false))).elements
            if wait { made = try await completed(made, service) }
            try printer.show(made, as: DeletionAnswer.self)
        }
    }

    private func body(_ range: (start: Timestamp?, end: Timestamp?), isDryRun: Bool) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            let lists = ["signal": signals, "words": filter.words, "attribute": filter.attribute, "label": filter.label]
            for (name, values) in lists.sorted(by: { $0.key < $1.key }) where !values.isEmpty {
                writer.key(name)
                writer.array { writer in
                    for value in values { writer.string(value) }
                }
            }
            let single: KeyValuePairs<String, String?> = [
                "start": range.start?.rfc3339, "end": range.end?.rfc3339, "service": filter.service, "name": filter.name, "severity": filter.severity,
                "status": filter.status, "text": filter.text, "trace_id": filter.traceID,
            ]
            for case (let name, let value?) in single {
                writer.key(name)
                writer.string(value)
            }
            writer.key("dry_run")
            writer.bool(isDryRun)
        }
        return writer.bytes
    }

    private func post(_ service: any QueryService, _ body: [UInt8]) async throws -> [UInt8] {
        let (status, answer) = try await service.post(DeletionAPI.path, body: body)
        guard status == 200 || status == 201 else { throw service.failure(status, answer) }
        return answer
    }

    /// Asks the person at the terminal.
    private func confirm(_ plan: [DeletionPlanAnswer], _ printer: AnswerPrinter) throws {
        guard isatty(0) == 1 else {
            throw CommandFailure("this would delete \(plan.reduce(0) { $0 + $1.rows }) rows; confirm it with --yes, or look with --dry-run", .usage)
        }
        for part in plan { StandardError.write("\(part.sentence(printer.zone))\n") }
        StandardError.write("This cannot be undone. Delete? [y/N] ")
        guard let answer = readLine()?.lowercased(), ["y", "yes"].contains(answer) else { throw CommandFailure("nothing was deleted") }
    }

    /// The deletions once they are physical, telling how far they are.
    private func completed(_ made: [ArraySlice<UInt8>], _ service: any QueryService) async throws -> [ArraySlice<UInt8>] {
        var done: [ArraySlice<UInt8>] = []
        for deletion in made {
            let id = try AnswerList.decode(DeletionAnswer.self, deletion).id
            var told = ""
            while true {
                let answer = try await service.answer(DeletionAPI.path + "/" + id)
                let status = try AnswerList.decode(DeletionAnswer.self, answer)
                if status.completed != nil {
                    done.append(answer[...])
                    break
                }
                let state = "oriel: deletion \(id): \(status.state)\n"
                if state != told { StandardError.write(state) }
                told = state
                try await Task.sleep(for: .milliseconds(250))
            }
        }
        return done
    }
}

/// Which rows are meant. Unlike for questions there is no time that goes without saying.
struct DeletionFilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "From when: a duration before now (15m, 1h, 2d), RFC 3339, unix seconds or milliseconds, \"yesterday 14:00\". Without --since and --end: only with --trace-id.",
            valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Another name for --since.", valueName: "time"))
    var start: String?

    @Option(help: ArgumentHelp("Until when; the same forms. Alone: all that is older.", valueName: "time"))
    var end: String?

    @Option(name: [.short, .long], help: "Of logs and spans: name of the service.")
    var service: String?

    @Option(help: "Of spans: name; of metrics: name of the metric.")
    var name: String?

    @Option(help: "Of logs: at least this severity.")
    var severity: String?

    @Option(help: "Of spans: error, ok or unset.")
    var status: String?

    @Option(name: [.short, .long], help: "Text in the body of a log record, in the name or status message of a span, in any case of letters.")
    var text: String?

    @Option(help: "Of logs: text in the body as whole words. May be repeated: all must occur.")
    var words: [String] = []

    @Option(help: ArgumentHelp("Of logs and spans: those of this trace.", valueName: "id"))
    var traceID: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Of logs and spans: condition on an attribute: key=value, !=, >, >=, <, <=, or a key. May be repeated; all must hold.", valueName: "condition"))
    var attribute: [String] = []

    @Option(help: ArgumentHelp("Of metrics: label=value, label!=value, or a label. May be repeated; all must hold.", valueName: "condition"))
    var label: [String] = []

    func range(isUTC: Bool, now: Timestamp) throws -> (start: Timestamp?, end: Timestamp?) {
        let zone: CalendarZone = isUTC ? .utc : .local
        let time = { (text: String?) throws -> Timestamp? in
            guard let text else { return nil }
            guard let time = TimeExpression.timestamp(text, now: now, zone: zone) else {
                throw CommandFailure("\"\(text)\" is no time: expected \(TimeExpression.forms)", .usage)
            }
            return time
        }
        return (try time(since ?? start), try time(end))
    }
}

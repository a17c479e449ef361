import ArgumentParser
import Glibc
import OrielTelemetry

/// `oriel`: the daemon and its questions.
struct RootCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oriel",
        abstract: "Logs, metrics and traces in one place.",
        discussion: """
            Start a server, point OpenTelemetry SDKs at http://localhost:4318 (or 4317 for gRPC), then look:

              oriel serve
              oriel traces --status error --since 15m
              oriel trace 0af7651916cd43dd8448eb211c80319c
              oriel logs --follow --severity warn

            Exit status: 0 found, 1 error, 2 usage, 3 nothing found.
            """,
        version: RootCommand.versionLine,
        subcommands: queries + others)

    private static let queries: [any ParsableCommand.Type] = [
        ServeCommand.self, TracesCommand.self, TraceCommand.self, LogsCommand.self, MetricsCommand.self, ServicesCommand.self,
    ]

    /// What is no part of serving and asking.
    private static let others: [any ParsableCommand.Type] = [
        HealthCommand.self, TokenCommand.self, PinCommand.self, PinsCommand.self, UnpinCommand.self, DeleteCommand.self, BackupCommand.self,
        RestoreCommand.self,
        DoctorCommand.self, BenchCommand.self, DemoCommand.self,
    ]

    /// Runs a command line, without the program's name, and returns the process' exit status.
    static func main(arguments: [String]) async -> Int32 {
        // A reader that goes away is noticed by its write, not by a signal.
        _ = signal(SIGPIPE, SIG_IGN)
        do {
            try checkName(arguments)
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return ExitStatus.found.rawValue
        } catch is StandardOutput.BrokenPipe {
            return ExitStatus.found.rawValue
        } catch let failure as CommandFailure {
            StandardError.write("oriel: \(failure.description)\n")
            return failure.status.rawValue
        } catch {
            return report(error)
        }
    }

    /// Meets a mistyped subcommand with the right one, which the parser does for options only.
    private static func checkName(_ arguments: [String]) throws {
        guard let name = arguments.first, !name.hasPrefix("-"), name != "help" else { return }
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard !names.contains(name) else { return }
        let hint = Suggestion.hint(for: name, in: names + ["help"])
        throw CommandFailure("there is no command \"\(TerminalText.safe(name))\"\(hint); there are \(names.joined(separator: ", "))", .usage)
    }

    /// Help goes to standard output, everything else to standard error.
    private static func report(_ error: any Error) -> Int32 {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        guard code.isSuccess else {
            // The parser's own prefix is another than that of all other messages.
            let text = message.hasPrefix("Error: ") ? "oriel: " + message.dropFirst("Error: ".count) : message
            if !text.isEmpty { StandardError.write(text + "\n") }
            return code == .validationFailure ? ExitStatus.usage.rawValue : code.rawValue
        }
        var output = StandardOutput()
        do {
            try output.line(message)
            try output.flush()
        } catch {
            // Whoever asked for help has gone.
        }
        return ExitStatus.found.rawValue
    }
}

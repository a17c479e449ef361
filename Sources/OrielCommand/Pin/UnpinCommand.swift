import ArgumentParser
import OrielCollector

/// `oriel unpin`: gives pins up.
struct UnpinCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin",
        abstract: "Give pins up: what is older than the retention and in no other pin goes.",
        discussion: """
            Prints what they were. Rows that retention would have taken are gone from all answers at once, and from the disk soon.
            Exit status: 0 given up, 1 error, 2 usage, 3 there is no such pin.

            Examples:
              oriel unpin 3
              oriel unpin $(oriel pins --output json | jq -r 'select(.note == "outage").id')
            """)

    @Argument(help: ArgumentHelp("Ids of the pins, as `oriel pins` shows them.", valueName: "id"))
    var ids: [String]

    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await source.withService(isChanging: true, patience: PinCommand.patience) { service in
            var given: [ArraySlice<UInt8>] = []
            var failure: CommandFailure?
            for id in ids {
                let (status, answer) = try await service.delete(PinAPI.path + "/" + QueryTarget.encode(id))
                guard status == 200 else {
                    failure = service.failure(status, answer)
                    break
                }
                given.append(answer[...])
            }
            if !given.isEmpty { try AnswerPrinter(output).show(given, as: PinAnswer.self) }
            if let failure { throw failure }
        }
    }
}

import ArgumentParser
import OrielCollector

/// `oriel pins`: what is kept beyond retention.
struct PinsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pins",
        abstract: "List what is kept beyond retention, and what it takes.",
        discussion: """
            Log records, spans and exemplars that several pins keep are counted with one of them.
            Exit status: 0 there are some, 1 error, 2 usage, 3 there are none.

            Examples:
              oriel pins
              oriel pins --output json | jq -r .note
            """)

    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await source.withService { service in
            let pins = try AnswerList.elements("pins", of: try await service.answer(PinAPI.path)).elements
            try AnswerPrinter(output).show(pins, as: PinAnswer.self)
            if pins.isEmpty { throw CommandFailure("nothing is pinned", .nothingFound) }
        }
    }
}

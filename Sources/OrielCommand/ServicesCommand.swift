import ArgumentParser
import OrielTelemetry

/// `oriel services`: what sent something.
struct ServicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "List the services that sent spans or log records.",
        discussion: """
            Examples:
              oriel services --since 24h
              oriel services --output json | jq -r .name
            """)

    @OptionGroup var range: RangeOptions
    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        var target = QueryTarget("services")
        target.add(try range.resolve(output, now: .now))
        let request = target
        try await source.withService { service in
            let elements = try AnswerList.elements("services", of: try await service.answer(request.text)).elements
            var out = StandardOutput()
            if output.output == .json {
                for element in elements { try out.write(element + [UInt8(ascii: "\n")]) }
            } else {
                let services = try elements.map { try AnswerList.decode(ServiceRow.self, $0) }
                if output.output == .table {
                    if !services.isEmpty { try out.lines(ServicesRendering.lines(services, output.rendering)) }
                } else {
                    try out.write(CSV.line(ServicesRendering.csvHeader).utf8)
                    for service in services { try out.write(CSV.line(ServicesRendering.csvFields(service)).utf8) }
                }
            }
            try out.flush()
            if elements.isEmpty { throw CommandFailure("no service sent spans or log records in this range", .nothingFound) }
        }
    }
}

import ArgumentParser
import OrielTelemetry

/// `oriel token list`: what tokens there are, without the tokens.
struct TokenListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the tokens that are valid.",
        discussion: """
            Examples:
              oriel token list
              oriel token list --output json | jq -r .name
            """)

    @OptionGroup var server: TokenServerOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await server.withServer { service in
            let elements = try await Self.tokens(service)
            let rows = try elements.map { try AnswerList.decode(TokenRow.self, $0) }
            var out = StandardOutput()
            switch output.output {
            case .json:
                for element in elements { try out.write(element + [UInt8(ascii: "\n")]) }
            case .table where rows.isEmpty: break
            case .table: try out.lines(Self.table(rows).lines(output.rendering))
            case .csv:
                try out.write(CSV.line(["id", "name", "scopes", "tenant", "limits", "created", "origin"]).utf8)
                for row in rows {
                    try out.write(
                        CSV.line([row.id, row.name, row.scopes.joined(separator: " "), row.tenant ?? "", row.limitText, row.created ?? "", row.origin]).utf8)
                }
            }
            try out.flush()
            if rows.isEmpty { throw CommandFailure("there are no tokens", .nothingFound) }
        }
    }

    static func tokens(_ service: HTTPQueryService) async throws -> [ArraySlice<UInt8>] {
        try AnswerList.elements("tokens", of: try await service.answer(TokenRow.path)).elements
    }

    private static func table(_ rows: [TokenRow]) -> Table {
        var table = Table(["ID", "NAME", "SCOPES", "TENANT", "LIMITS", "CREATED"].map { Table.Column(title: $0) })
        for row in rows {
            table.add(
                [row.id, row.name, row.scopes.joined(separator: ","), row.tenant ?? "", row.limitText, row.created ?? "in the tokens file"].map {
                    Table.Cell($0)
                })
        }
        return table
    }
}

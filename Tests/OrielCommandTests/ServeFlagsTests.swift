import ArgumentParser
import OrielCollector
import OrielSQLite
import OrielTelemetry
import Testing

@testable import OrielCommand

@Suite struct ServeFlagsTests {
    @Test func everySettingHasItsFlag() throws {
        for flag in ConfigurationResolver.flagNames + ["--data", "--config"] {
            let isSwitch = ["--allow-anonymous", "--tenancy-header"].contains(flag)
            let flags = try ServeFlags.parse(isSwitch ? [flag] : [flag, "x"])
            #expect(flags.given == [flag: [isSwitch ? "true" : "x"]])
        }
    }

    @Test func retentionReachesTheStore() throws {
        var retention = CollectorConfiguration(dataFolder: "/data").retention
        for (signal, share) in StoreOptions(retention).diskShares {
            #expect(abs(share - 100 * (StoreOptions.defaultDiskShares[signal] ?? 0)) < 1e-9)
        }
        retention.disk = 200_000_000_000
        retention.shares.logs = 0
        retention.freeSpace = 1 << 30
        retention.traces = 0
        let options = StoreOptions(retention)
        #expect(options.diskBudget == 200_000_000_000 && options.freeSpaceFloor == 1 << 30 && options.diskShares[.logs] == 0)
        #expect(options.retention[.spans] == nil && options.retention[.logs] != nil)
    }

    @Test func commandsHaveExamplesAndNamesOfTheirOwn() {
        var names: Set<String> = []
        for command in RootCommand.configuration.subcommands {
            let name = command.configuration.commandName ?? ""
            #expect(!name.isEmpty && names.insert(name).inserted)
            #expect(command.configuration.discussion.contains("oriel \(name)"), "\(name) has no example")
            for part in command.configuration.subcommands {
                let partName = "\(name) \(part.configuration.commandName ?? "")"
                #expect(part.configuration.discussion.contains("oriel \(partName)"), "\(partName) has no example")
            }
        }
    }

    @Test func targetsAreEncoded() {
        var target = QueryTarget("logs")
        target.add("text", "a b&c=ü")
        target.add("service", nil)
        target.add("attribute", ["x>=1", "y"])
        #expect(target.text == "/api/oriel/v1/logs?text=a%20b%26c%3d%c3%bc&attribute=x%3e%3d1&attribute=y")
    }

    @Test(arguments: [
        ("localhost:4318", "http://localhost:4318"), ("http://h:1/", "http://h:1"), ("unix:/run/o.sock", "http+unix://%2frun%2fo.sock"),
        ("unix:///run/o.sock", "http+unix://%2frun%2fo.sock"), ("https://oriel.example", "https://oriel.example"),
    ])
    func servers(text: String, base: String) throws {
        #expect(try HTTPQueryService.baseURL(text) == base)
    }

    @Test(arguments: ["", "unix:relative", "ftp://h", "http://"])
    func noServers(text: String) {
        #expect(throws: CommandFailure.self) { try HTTPQueryService.baseURL(text) }
    }
}

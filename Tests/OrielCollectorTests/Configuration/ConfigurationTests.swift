import Logging
import OrielTelemetry
import Testing

@testable import OrielCollector

/// Flags over environment over file over defaults, and errors that say where.
@Suite struct ConfigurationTests {
    private static func resolve(
        _ yaml: String? = nil, flags: [String: [String]] = [:], environment: [String: String] = [:]
    ) throws -> (resolved: ResolvedConfiguration, file: String) {
        let folder = try TemporaryFolder()
        var flags = flags
        var file = ""
        if let yaml {
            file = try folder.write(yaml, to: "oriel.yaml")
            flags["--config"] = [file]
        }
        var environment = environment
        if environment["HOME"] == nil { environment["HOME"] = "/home/somebody" }
        return (try ConfigurationResolver(flags: flags, environment: environment).resolve(), file)
    }

    /// The error of a file, with the file's name left out.
    private static func problem(_ yaml: String) -> String {
        do {
            _ = try resolve(yaml)
            return "no error"
        } catch {
            let text = "\(error)"
            let marker = "oriel.yaml:"
            guard let name = text.indices.first(where: { text[$0...].hasPrefix(marker) }) else { return text }
            return String(text[name...].dropFirst(marker.count))
        }
    }

    @Test func defaultsNeedNothing() throws {
        let configuration = try Self.resolve().resolved.configuration
        #expect(configuration.dataFolder == "/home/somebody/.local/state/oriel")
        #expect(
            configuration.listeners.map(\.address.description) == [
                "tcp://127.0.0.1:4317", "tcp://[::1]:4317", "tcp://127.0.0.1:4318", "tcp://[::1]:4318",
                "unix:/home/somebody/.local/state/oriel/oriel.sock",
            ])
        #expect(configuration.listeners.allSatisfy { $0.address.isLocal })
        #expect(configuration.admissionBudget == 128 << 20)
    }

    @Test func flagsBeatEnvironmentBeatsFile() throws {
        let yaml = """
            data: /from/file
            retention:
              logs: 1d
              traces: 2d12h
              metrics: 3d
            log: {level: debug, format: json}
            ingest: {admission_budget: 64MiB}
            """
        let (resolved, file) = try Self.resolve(
            yaml, flags: ["--retention-metrics": ["5d"]], environment: ["ORIEL_RETENTION_TRACES": "4d", "ORIEL_RETENTION_METRICS": "4d"])
        let configuration = resolved.configuration
        #expect(configuration.dataFolder == "/from/file")
        #expect(configuration.retention.logs == 86_400_000_000_000)
        #expect(configuration.retention.traces == 4 * 86_400_000_000_000)
        #expect(configuration.retention.metrics == 5 * 86_400_000_000_000)
        #expect(configuration.log.level == .debug)
        #expect(configuration.log.format == .json)
        #expect(configuration.admissionBudget == 64 << 20)
        let origins = Dictionary(uniqueKeysWithValues: resolved.values.map { ($0.name, $0.origin) })
        #expect(origins["data"] == "\(file):1:7")
        #expect(origins["retention.logs"] == "\(file):3:9")
        #expect(origins["retention.traces"] == "ORIEL_RETENTION_TRACES")
        #expect(origins["retention.metrics"] == "--retention-metrics")
        #expect(origins["server.idle_timeout"] == "default")
        #expect(resolved.description.contains("retention:\n  logs: 1d "))
    }

    @Test func theDiskIsSharedOut() throws {
        let defaults = try Self.resolve().resolved
        #expect(defaults.configuration.retention.disk == nil && defaults.description.contains("\n  disk: none "))
        let yaml = """
            retention:
              disk: 500GB
              shares: {logs: 50%, traces: 25, metrics: 12.5%}
              free_space: 1GiB
            """
        let resolved = try Self.resolve(yaml, environment: ["ORIEL_RETENTION_SHARES_TRACES": "40%"]).resolved
        let retention = resolved.configuration.retention
        #expect(retention.disk == 500_000_000_000 && resolved.description.contains("\n  disk: 500GB ") && retention.freeSpace == 1 << 30)
        #expect(retention.shares == .init(logs: 50, traces: 40, metrics: 12.5))
        #expect(resolved.description.contains("\n    metrics: \"12.5%\" "))
        let origins = Dictionary(uniqueKeysWithValues: resolved.values.map { ($0.name, $0.origin) })
        #expect(origins["retention.shares.traces"] == "ORIEL_RETENTION_SHARES_TRACES" && origins["retention.disk"]?.hasSuffix(":2:9") == true)
        let flagged = try Self.resolve(yaml, flags: ["--disk-budget": ["none"]], environment: ["ORIEL_DISK_BUDGET": "1TB"]).resolved
        #expect(flagged.configuration.retention.disk == nil)
        #expect(try Self.resolve(yaml, environment: ["ORIEL_DISK_BUDGET": "1TB"]).resolved.configuration.retention.disk == 1_000_000_000_000)
        for (text, said) in [
            ("retention: {disk: much}", "\"much\" is not a size from 16MiB to 1024TiB, as in 200GB, or none"), ("retention: {disk: 200}", "is not a size"),
            ("retention: {shares: {logs: 101%}}", "is not a percentage from 0% to 100%"), ("retention: {shares: {logs: nan}}", "is not a percentage"),
            ("retention: {shares: {log: 1}}", "logs"), ("retention: {shares: 3}", "must hold settings"), ("retention: {free_space: -1}", "is not a size"),
        ] {
            #expect(Self.problem(text).contains(said), "\(text): \(Self.problem(text))")
        }
    }

    @Test func listenersInAllForms() throws {
        let yaml = """
            listeners:
              - tcp://127.0.0.1:4318
              - address: unix:/run/oriel.sock
                roles: [ingest, admin]
              - address: "tcp://[::1]:443"
                tls:
                  certificate: /c.pem
                  key: /k.pem
              - fd:3
            """
        let listeners = try Self.resolve(yaml).resolved.configuration.listeners
        #expect(listeners.count == 5)
        #expect(listeners[0].roles == [.ingest, .query, .metrics])
        #expect(listeners[1].roles == [.ingest, .admin])
        #expect(listeners[2].tls == .init(certificate: "/c.pem", key: "/k.pem"))
        #expect(listeners[3].address == .fileDescriptor(3))
        // The command line's way in is always there.
        #expect(listeners[4].address == .unix(path: "/home/somebody/.local/state/oriel/oriel.sock"))
        let flags = try Self.resolve(yaml, flags: ["--listen": ["tcp://127.0.0.1:0"]]).resolved.configuration.listeners
        #expect(flags.map(\.address.description) == ["tcp://127.0.0.1:0", "unix:/home/somebody/.local/state/oriel/oriel.sock"])
    }

    /// Byte for byte the same settings, wherever they came from.
    @Test func whatIsPrintedIsAConfiguration() throws {
        let yaml = """
            listeners:
              - tcp://127.0.0.1:4318
              - {address: "tcp://[::1]:4318", optional: true}
              - {address: "unix:/run/a b.sock", roles: [query]}
              - {address: "tcp://127.0.0.1:443", tls: {certificate: "/c: d.pem", key: /k.pem, client_ca: "/a\\"b.pem"}}
            server: {allowed_hosts: ["*.example", "a#b"], allow_anonymous: true}
            tenancy: {header: on}
            otlp: {metrics: {promote_resource_attributes: []}}
            log: {level: debug}
            """
        for yaml in [yaml, ""] {
            let first = try Self.resolve(yaml).resolved
            let second = try Self.resolve(first.description).resolved
            #expect(second.values.map(\.value) == first.values.map(\.value))
            #expect(second.configuration.listeners == first.configuration.listeners)
            #expect(second.configuration.allowedHosts == first.configuration.allowedHosts)
            #expect(second.configuration.metrics == first.configuration.metrics)
            #expect(second.configuration.readsTenantHeader == !yaml.isEmpty && first.configuration.readsTenantHeader == !yaml.isEmpty)
            #expect(second.configuration.tokensFile == nil)
        }
    }

    @Test func variablesThatAreNoSettingsAreTold() throws {
        let environment = ["ORIEL_RETENTION_LOG": "1d", "ORIEL_DATA": "/d", "ORIEL_SERVICE_HOST": "10.0.0.1", "ORIEL_LOG_LEVEL": "info", "OTHER": "x"]
        #expect(
            try Self.resolve(environment: environment).resolved.warnings == [
                #"the environment variable ORIEL_RETENTION_LOG is no setting and has no effect (did you mean "ORIEL_RETENTION_LOGS"?)"#
            ])
    }

    @Test func mistakesAreMetWithTheCorrection() {
        #expect(Self.problem("retention:\n  lgos: 1d\n") == #"2:3: unknown setting "retention.lgos" (did you mean "logs"?)"#)
        #expect(Self.problem("retension: {}\n").hasPrefix(#"1:1: unknown setting "retension" (did you mean "retention"?)"#))
        #expect(Self.problem("log:\n  level: infoo\n").contains(#"2:10: log.level: "infoo" is none of"#))
        #expect(Self.problem("log:\n  level: infoo\n").contains(#"did you mean "info"?"#))
        #expect(Self.problem("ingest:\n  admission_budget: lots\n").hasPrefix(#"2:21: ingest.admission_budget: "lots" is not a size"#))
        #expect(Self.problem("server:\n  idle_timeout: 5 minutes\n").hasPrefix(#"2:17: server.idle_timeout: "5 minutes" is not a duration"#))
        #expect(Self.problem("listeners:\n  - tcp://127.0.0.1\n").hasPrefix("2:5: listener address"))
        #expect(Self.problem("listeners:\n  - address: fd:3\n    rolls: []\n").contains(#"did you mean "roles"?"#))
        #expect(Self.problem("listeners:\n  - address: fd:3\n    roles: [ingset]\n").contains(#"did you mean "ingest"?"#))
        #expect(Self.problem("data: /a\ndata: /b\n") == #"2:1: "data" is given twice, first at 1:1"#)
        #expect(Self.problem("data: [a, b]\n") == "1:7: data takes one value, not a list")
        #expect(Self.problem("a: b: c\n").hasPrefix("1:"))
        #expect(Self.problem("data: &x /a\n") == "1:7: anchors and tags are not supported")
        #expect(Self.problem("--- {}\n--- {}\n") == "2:1: a second document; the file must hold one")
    }

    @Test func flagsAndVariablesAreNamedInErrors() {
        #expect(throws: ConfigurationError(place: "--config", problem: "there is no file /nowhere.yaml")) {
            try ConfigurationResolver(flags: ["--config": ["/nowhere.yaml"]]).resolve()
        }
        do {
            _ = try ConfigurationResolver(environment: ["HOME": "/", "ORIEL_LOG_FORMAT": "xml"]).resolve()
            Issue.record("xml was taken")
        } catch {
            #expect("\(error)".hasPrefix("ORIEL_LOG_FORMAT: log.format: \"xml\" is none of text, json"))
        }
    }

    @Test func theDataFolderIsChosenByRank() throws {
        let all = [
            "ORIEL_DATA": "/variable", "STATE_DIRECTORY": "/state:/other", "XDG_STATE_HOME": "/xdg", "HOME": "/home/x",
        ]
        func choose(_ flag: String?, _ file: String?, without: [String] = []) throws -> String {
            try DataFolder.choose(flag: flag, file: file, environment: all.filter { !without.contains($0.key) }).path
        }
        #expect(try choose("/flag/", "/file") == "/flag")
        #expect(try choose(nil, "/file") == "/variable")
        #expect(try choose(nil, "/file", without: ["ORIEL_DATA"]) == "/file")
        #expect(try choose(nil, nil, without: ["ORIEL_DATA"]) == "/state")
        #expect(try choose(nil, nil, without: ["ORIEL_DATA", "STATE_DIRECTORY"]) == "/xdg/oriel")
        #expect(try choose(nil, nil, without: ["ORIEL_DATA", "STATE_DIRECTORY", "XDG_STATE_HOME"]) == "/home/x/.local/state/oriel")
        #expect(throws: DataFolder.Failure.self) { try choose(nil, nil, without: Array(all.keys)) }
    }

    @Test func theDataFolderIsPrivate() throws {
        let folder = try TemporaryFolder()
        try DataFolder.prepare(folder.path + "/a/b")
        #expect(FileMode.of(folder.path + "/a/b") == 0o700)
        try DataFolder.prepare(folder.path + "/a/b")
        let file = try folder.write("", to: "file")
        #expect(throws: DataFolder.Failure.self) { try DataFolder.prepare(file) }
    }

    @Test func sizesAndAddresses() throws {
        #expect(SizeText.parse("64MiB") == 64 << 20)
        #expect(SizeText.parse("1 kB") == 1000)
        #expect(SizeText.parse("5") == 5)
        for wrong in ["", "MiB", "-1", "1.5MB", "99999999999TiB", "1XB"] { #expect(SizeText.parse(wrong) == nil, "\(wrong)") }
        for text in ["200GB", "64MiB", "1024TiB", "3TB", "1kB", "1KiB", "0B", "500MB", "1001B", "128GiB", "9223372036854775807B"] {
            #expect(SizeText.parse(text).map(SizeText.format) == text)
        }
        #expect(DurationText.exact(90_061_000_000_000) == "1d1h1m1s")
        #expect(try ListenerAddress(parsing: "localhost:80") == .tcp(host: "localhost", port: 80))
        #expect(try ListenerAddress(parsing: "tcp://[::1]:80").description == "tcp://[::1]:80")
        for wrong in ["", "tcp://", "::1:80", "tcp://[::1]", "h:99999", "unix:relative", "fd:1", "http://x:80/"] {
            #expect(throws: ListenerAddressError.self, "\(wrong)") { try ListenerAddress(parsing: wrong) }
        }
        #expect(!ListenerAddress.isLoopback(host: "127.0.0.1.evil.example"))
        #expect(ListenerAddress.isLoopback(host: "127.9.9.9"))
    }

    @Test func yamlSurvivesAnything() {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: .min ... .max, using: &generator)
        var random = SeededBytes(seed: seed)
        let alphabet = Array("abc: -[]{}\n\t\"'#&*!|>%@`,?0\u{0}\u{7F}".utf8)
        for round in 0..<(3000 * Fuzz.rounds) {
            let bytes = (0..<Int(random.next() % 60)).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            do {
                _ = try YAMLReader.read(bytes)
            } catch {
                #expect(error.position.line >= 1, "seed \(seed), round \(round)")
            }
        }
    }

    @Test func logLines() {
        let time = Timestamp(nanoseconds: 1_720_000_000_123_456_789)
        let text = CollectorLog.line(
            format: .text, time: time, level: .info, label: "oriel", message: "two\nlines", metadata: [("a", "b c"), ("n", "1")])
        #expect(String(decoding: text, as: UTF8.self) == "2024-07-03T09:46:40.123Z INFO oriel: two\\nlines a=\"b c\" n=1\n")
        let forged = CollectorLog.line(format: .text, time: time, level: .info, label: "oriel", message: "x", metadata: [("a", #"b" c="d\"#)])
        #expect(String(decoding: forged, as: UTF8.self) == #"2024-07-03T09:46:40.123Z INFO oriel: x a="b\" c=\"d\\""# + "\n")
        let json = CollectorLog.line(format: .json, time: time, level: .error, label: "oriel", message: "x\"", metadata: [("a", "b")])
        #expect(
            String(decoding: json, as: UTF8.self)
                == #"{"time":"2024-07-03T09:46:40.123Z","level":"error","logger":"oriel","message":"x\"","a":"b"}"# + "\n")
    }

    private struct SeededBytes {
        var state: UInt64
        init(seed: UInt64) { state = seed }
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}

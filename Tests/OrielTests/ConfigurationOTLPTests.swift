import Logging
import OrielClient
import OrielTelemetry
import Testing

@testable import Oriel

@Suite struct ConfigurationOTLPTests {
    private func configuration(_ variables: [String: String]) -> Oriel.Configuration {
        Oriel.Configuration(environment: Dictionary(uniqueKeysWithValues: variables.map { ("OTEL_EXPORTER_OTLP_" + $0.key, $0.value) }))
    }

    @Test(arguments: [
        ("http://collector:4318", "http://collector:4318/v1/traces"), ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://example.com/otlp", "https://example.com/otlp/v1/traces"), ("https://example.com/otlp/", "https://example.com/otlp/v1/traces"),
        ("http://[::1]:4318", "http://[::1]:4318/v1/traces"), ("http://h?tenant=a", "http://h/v1/traces?tenant=a"), ("HTTP://H", "HTTP://H/v1/traces"),
        // Nothing can follow the path of a socket.
        ("unix:/run/oriel.sock", "unix:/run/oriel.sock"), ("unix:///run/oriel.sock", "unix:///run/oriel.sock"),
        ("http+unix://%2Frun%2Foriel.sock", "http+unix://%2Frun%2Foriel.sock/v1/traces"),
    ])
    func theSignalsPathIsAppendedToTheBase(base: String, expected: String) {
        let configuration = configuration(["ENDPOINT": base])
        #expect(configuration.otlp.spans.endpoint == expected)
        #expect(configuration.problems.isEmpty)
        #expect(Oriel.OTLPConfiguration(base: base).spans.endpoint == expected)
    }

    @Test func theURLOfASignalIsUsedAsItIs() {
        let configuration = configuration(["ENDPOINT": "http://all:4318", "TRACES_ENDPOINT": "https://traces:443/here", "LOGS_ENDPOINT": "http://logs"])
        #expect(configuration.otlp.spans.endpoint == "https://traces:443/here")
        #expect(configuration.otlp.logs.endpoint == "http://logs")
        #expect(configuration.otlp.metrics.endpoint == "http://all:4318/v1/metrics")
    }

    @Test(arguments: [
        "collector:4318", "ftp://h", "http://", "http://:4318", "http://h:0", "http://h:99999", "http://h:port", "http://a b",
        "http://h\u{7F}",
        // What the exporter would refuse.
        "http://user:pass@h:4318", "http://::1:4318", "http://[abc]:4318", "unix:relative", "http+unix://run", "grpc://h:4317",
    ])
    func whatIsNoURLIsReported(url: String) {
        let configuration = configuration(["ENDPOINT": url])
        #expect(configuration.problems.map(\.variable) == ["OTEL_EXPORTER_OTLP_ENDPOINT"])
        #expect(configuration.otlp == Oriel.OTLPConfiguration())
    }

    @Test func passwordsAreNotTold() {
        let configuration = configuration(["ENDPOINT": "http://user:pass@h:99999"])
        #expect(configuration.problems.map(\.value) == ["http://…@h:99999"])
        for url in ["http://user:pass@h", "user:pass@h", "http://h:0/?key=pass", "ftp://h?pass"] {
            let problems = self.configuration(["ENDPOINT": url, "LOGS_ENDPOINT": url]).problems
            #expect(problems.count == 2 && !problems.contains { "\($0)".contains("pass") }, "\(problems)")
        }
    }

    @Test func whatIsSpokenIsProtobufOverHTTP() {
        #expect(configuration(["PROTOCOL": "http/protobuf"]).problems.isEmpty)

        let json = configuration(["PROTOCOL": "http/json"])
        #expect(json.problems.map(\.value) == ["http/json"])
        #expect(json.otlp == Oriel.OTLPConfiguration())

        let grpc = configuration(["PROTOCOL": "grpc", "ENDPOINT": "http://collector:4317"])
        #expect(grpc.problems.map(\.variable) == ["OTEL_EXPORTER_OTLP_PROTOCOL"])
        #expect(grpc.problems[0].used.contains("4318"))
        #expect(grpc.otlp.logs.endpoint == "http://collector:4318/v1/logs")

        let signal = configuration(["TRACES_PROTOCOL": "grpc", "TRACES_ENDPOINT": "https://collector:4317", "LOGS_PROTOCOL": "http/protobuf"])
        #expect(signal.problems.map(\.variable) == ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"])
        #expect(signal.otlp.spans.endpoint == "https://collector:4318/v1/traces")
        #expect(signal.otlp.logs.endpoint == "http://localhost:4318/v1/logs")
    }

    @Test(
        arguments: [
            ("collector:4317", [:], "https://collector:4318", true),
            ("collector:4317", ["INSECURE": "true"], "http://collector:4318", false),
            ("collector:4317", ["INSECURE": "TRUE", "TRACES_INSECURE": "false"], "https://collector:4318", false),
            ("collector:4317", ["TRACES_INSECURE": "true"], "http://collector:4318", false),
            ("localhost:4317", [:], "http://localhost:4318", false), ("127.0.0.1:4317", [:], "http://127.0.0.1:4318", false),
            ("[::1]:4317", [:], "http://[::1]:4318", false), ("oriel.localhost", [:], "http://oriel.localhost", false),
            ("127.evil.example.com:4317", [:], "https://127.evil.example.com:4318", true), ("10.0.0.1:4317", [:], "https://10.0.0.1:4318", true),
            ("localhost:4317", ["INSECURE": "false"], "https://localhost:4318", false),
            // A scheme says it all.
            ("http://collector:4317", ["INSECURE": "false"], "http://collector:4318", false),
            ("https://collector:4317", ["INSECURE": "true"], "https://collector:4318", false),
            ("unix:/run/oriel.sock", [:], "unix:/run/oriel.sock", false),
        ] as [(String, [String: String], String, Bool)])
    func anEndpointOfGRPCWithoutASchemeIsSecure(endpoint: String, others: [String: String], base: String, isTold: Bool) {
        let expected = base.hasPrefix("unix:") ? base : base + "/v1/traces"
        for (name, kind) in [("ENDPOINT", "PROTOCOL"), ("TRACES_ENDPOINT", "TRACES_PROTOCOL")] {
            let configuration = configuration(others.merging([name: endpoint, kind: "grpc"]) { $1 })
            #expect(configuration.otlp.spans.endpoint == expected)
            let told = configuration.problems.filter { $0.variable.hasSuffix("ENDPOINT") }
            #expect(!isTold || told.contains { $0.value == endpoint && $0.used == base && $0.expected.contains("_INSECURE=true") })
            // What was said of spans alone says nothing of the others.
            #expect(isTold || told.isEmpty || others == ["TRACES_INSECURE": "true"], "\(told)")
            // Once, though the general one is that of three signals.
            #expect(Set(told).count == told.count && told.count <= 1)
        }
    }

    @Test func headersAreDecodedAndThoseOfASignalCountMore() {
        let configuration = configuration([
            "HEADERS": "Authorization=Bearer%20a%3Db, x-tenant = acme ,, ", "LOGS_HEADERS": "authorization=Basic%20x,x-more=1,X-MORE=2",
            "METRICS_HEADERS": "secret",
        ])
        #expect(configuration.otlp.spans.headers == ["Authorization": "Bearer a=b", "x-tenant": "acme"])
        // The key for one receiver does not go to another one.
        #expect(configuration.otlp.logs.headers == ["authorization": "Basic x", "X-MORE": "2"])
        #expect(configuration.otlp.metrics.headers.isEmpty)
        #expect(configuration.problems.map(\.used) == ["no headers"])
    }

    @Test(arguments: ["a", "=b", "a=%0d%0aEvil:1", "a b=c", "a=%zz", "a=%e4", "Content-Type=x", "a=1,transfer-encoding=chunked"])
    func headersThatWouldBreakARequestAreNotTaken(headers: String) {
        let configuration = configuration(["HEADERS": headers])
        #expect(configuration.problems.count == 1)
        #expect(configuration.problems.allSatisfy { $0.value == "…" })
        #expect(configuration.otlp == Oriel.OTLPConfiguration())
    }

    @Test func theOtherSettingsAreReadForAllAndForEach() {
        let configuration = configuration([
            "COMPRESSION": "none", "METRICS_COMPRESSION": "gzip", "TIMEOUT": "2500", "TRACES_TIMEOUT": "30000", "CERTIFICATE": "/ca.pem",
            "LOGS_CERTIFICATE": "/logs.pem", "CLIENT_CERTIFICATE": "/me.pem", "CLIENT_KEY": "/me.key",
        ])
        #expect(configuration.problems.isEmpty)
        #expect(configuration.otlp.logs.compression == .none && configuration.otlp.metrics.compression == .gzip)
        #expect(configuration.otlp.logs.timeout == .milliseconds(2500) && configuration.otlp.spans.timeout == .seconds(30))
        #expect(configuration.delivery.exportTimeout == .seconds(30))
        #expect(configuration.otlp.logs.certificateFile == "/logs.pem" && configuration.otlp.spans.certificateFile == "/ca.pem")
        #expect(configuration.otlp[.metrics].clientCertificateFile == "/me.pem" && configuration.otlp[.metrics].clientKeyFile == "/me.key")
    }

    @Test func codeCanSetAllAtOnce() {
        var otlp = Oriel.OTLPConfiguration(base: "https://oriel.example")
        otlp[.logs].compression = .none
        #expect(otlp.logs.endpoint == "https://oriel.example/v1/logs" && otlp.logs.compression == .none)
        #expect(otlp.spans.endpoint == "https://oriel.example/v1/traces")
    }

    @Test func aHeaderOfAllSignalsReplacesThatOfItsName() {
        var otlp = Oriel.OTLPConfiguration()
        otlp.metrics.headers = ["authorization": "old", "x-scope-orgid": "acme"]
        otlp.setHeader("Authorization", "Bearer 1")
        #expect(otlp.logs.headers == ["Authorization": "Bearer 1"])
        #expect(otlp.metrics.headers == ["Authorization": "Bearer 1", "x-scope-orgid": "acme"])
        otlp.setHeader("AUTHORIZATION", nil)
        #expect(otlp.spans.headers.isEmpty)
        #expect(otlp.metrics.headers == ["x-scope-orgid": "acme"])
    }

    /// The time that a request is given.
    private func timeout(_ variables: [String: String] = [:], _ change: (inout Oriel.Configuration) -> Void = { _ in }) async throws -> Duration {
        struct Watch: TelemetryExporter {
            let times: AsyncStream<Duration>.Continuation

            func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome {
                times.yield(.nanoseconds(deadline.nanoseconds.subtractingSaturating(Timestamp.now.nanoseconds)))
                return .delivered()
            }
        }
        let (times, continuation) = AsyncStream.makeStream(of: Duration.self)
        var configuration = Oriel.Configuration(environment: variables)
        configuration.logExporters = [.otlp]
        configuration.metricExporters = []
        configuration.delivery.logDelay = .milliseconds(1)
        change(&configuration)
        let telemetry = try Oriel.Telemetry(configuration, exporter: Watch(times: continuation))
        Logger(label: "shop") { telemetry.logHandler(label: $0) }.info("x")
        let time = try #require(await times.first { _ in true })
        await telemetry.shutdown(timeout: .seconds(30))
        return time
    }

    @Test func eachSignalHasATimeoutOfItsOwn() {
        func timeouts(_ variables: [String: String]) -> [ExportSignal: Int] {
            let otlp = Oriel.Configuration(environment: variables).otlp
            return Dictionary(uniqueKeysWithValues: ExportSignal.allCases.map { ($0, Int(otlp[$0].timeout / .seconds(1))) })
        }
        #expect(timeouts([:]) == [.logs: 10, .metrics: 10, .spans: 10])
        #expect(timeouts(["OTEL_EXPORTER_OTLP_TIMEOUT": "20000", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "5000"]) == [.logs: 5, .metrics: 20, .spans: 20])
        #expect(timeouts(["OTEL_BSP_EXPORT_TIMEOUT": "3000", "OTEL_EXPORTER_OTLP_TIMEOUT": "20000"]) == [.logs: 20, .metrics: 20, .spans: 3])
        #expect(timeouts(["OTEL_BLRP_EXPORT_TIMEOUT": "30000", "OTEL_METRIC_EXPORT_TIMEOUT": "1000"]) == [.logs: 10, .metrics: 1, .spans: 10])
        let problems = Oriel.Configuration(environment: ["OTEL_BSP_EXPORT_TIMEOUT": "abc", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "4000"]).problems
        #expect(problems.map(\.used) == ["4000"])
    }

    @Test func aSignalsTimeoutEndsItsRequestsWhateverThatOfAnotherOneIs() async throws {
        let receiver = try SilentReceiver()
        var configuration = Oriel.Configuration()
        configuration.logExporters = [.otlp]
        configuration.metricExporters = []
        configuration.otlp.setBase("http://127.0.0.1:\(receiver.port)")
        configuration.otlp.logs.timeout = .milliseconds(50)
        configuration.otlp.spans.timeout = .seconds(3600)
        configuration.delivery.logDelay = .milliseconds(1)
        let telemetry = try Oriel.Telemetry(configuration)
        Logger(label: "shop") { telemetry.logHandler(label: $0) }.info("x")
        let end = ContinuousClock.now + .seconds(60)
        while telemetry.statistics?.failedRequests ?? 0 == 0, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(2)) }
        #expect(telemetry.statistics?.lastFailure?.contains("within the time given") == true)
        await telemetry.shutdown(timeout: .milliseconds(100))
        withExtendedLifetime(receiver) {}
    }

    @Test func timeoutsThatAreSetInCodeCount() async throws {
        let variables = ["OTEL_EXPORTER_OTLP_TIMEOUT": "20000"]
        let batches = ["OTEL_BSP_EXPORT_TIMEOUT": "3000", "OTEL_EXPORTER_OTLP_TIMEOUT": "20000"]
        let times: [(Duration, expected: Int)] = [
            (try await timeout(), 10),
            (try await timeout(variables), 20),
            (try await timeout { $0.otlp.spans.timeout = .seconds(90) }, 90),
            (try await timeout(variables) { $0.otlp.logs.timeout = .seconds(90) }, 90),
            (try await timeout { for signal in ExportSignal.allCases { $0.otlp[signal].timeout = .seconds(2) } }, 2),
            // What is set for batches counts where it is shorter.
            (try await timeout(["OTEL_BLRP_EXPORT_TIMEOUT": "3000", "OTEL_BSP_EXPORT_TIMEOUT": "2000", "OTEL_METRIC_EXPORT_TIMEOUT": "1000"]), 3),
            // That of spans lowers nothing of the others.
            (try await timeout(batches), 20),
            (try await timeout(variables) { $0.delivery.exportTimeout = .seconds(4) }, 4),
            (try await timeout { $0.delivery.exportTimeout = .seconds(60) }, 10),
        ]
        // A request begins a little after its time was chosen.
        for (time, expected) in times { #expect(time <= .seconds(expected) && time > .seconds(expected / 2)) }
    }
}

import CoreMetrics
import Logging
import OrielClient
import OrielExporterPrometheus
import OrielTelemetry
import OrielTesting
import Testing
import Tracing

@testable import Oriel

@Suite struct TelemetryTests {
    private let exporter = MemoryExporter()

    private func telemetry(_ change: (inout Oriel.Configuration) -> Void = { _ in }) throws -> Oriel.Telemetry {
        var configuration = Oriel.Configuration()
        configuration.serviceName = "shop"
        configuration.logExporters = [.otlp]
        change(&configuration)
        return try Oriel.Telemetry(configuration, exporter: exporter)
    }

    @Test func allThreeSignalsArriveAndBelongTogether() async throws {
        let telemetry = try telemetry()
        let logger = Logger(label: "shop.orders") { telemetry.logHandler(label: $0) }
        telemetry.tracer.withSpan("checkout") { _ in
            logger.info("paid", metadata: ["amount": "\(12)"])
            withMetricsFactory(telemetry.metricsFactory) { Counter(label: "orders").increment(by: 2) }
        }
        #expect(await telemetry.flush(timeout: .seconds(30)))
        let span = try #require(exporter.spans.first)
        let line = try #require(exporter.logs.first)
        #expect(line.traceID == span.traceID)
        #expect(line.spanID == span.spanID)
        #expect(line.label == "shop.orders")
        #expect(telemetry.prometheusText().contains("orders_total 2"))
        for text in [telemetry.prometheusText(), String(decoding: telemetry.exposition(accept: "application/openmetrics-text").body, as: UTF8.self)] {
            let lines = text.split(separator: "\n").filter { $0.hasPrefix("target_info{") }
            #expect(lines.count == 1 && lines.first?.contains("service_name=\"shop\"") == true, "\(lines)")
        }
        #expect(exporter.metrics.count == 1)
        #expect(telemetry.resource.serviceName == "shop")
        await telemetry.shutdown(timeout: .seconds(30))
        let statistics = try #require(telemetry.statistics)
        #expect(statistics[.logs].emitted == 1)
        #expect(statistics[.logs].delivered == 1)
        #expect(statistics[.spans].delivered == 1)
        // A second end is none.
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func whatIsDroppedIsTold() async throws {
        let telemetry = try telemetry { $0.delivery.queueBytes = 1 }
        let logger = Logger(label: "shop") { telemetry.logHandler(label: $0) }
        var emitted: UInt64 = 0
        while telemetry.statistics?[.logs].dropped[.queueFull] == nil, emitted < 100_000 {
            logger.info("more than there is room for")
            emitted += 1
        }
        await telemetry.flush(timeout: .seconds(30))
        let counts = try #require(telemetry.statistics)[.logs]
        let dropped = try #require(counts.dropped[.queueFull])
        #expect(counts.emitted == emitted && counts.delivered + dropped == emitted)
        let line = #"oriel_client_items_total{outcome="dropped",reason="queue_full",signal="logs"} \#(dropped)"#
        let isTold = telemetry.prometheusText().contains(line)
        #expect(isTold)
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func aBadEndpointIsAProblemAndNoFailure() async throws {
        var configuration = Oriel.Configuration()
        configuration.logExporters = [.otlp]
        configuration.otlp.logs.endpoint = "ftp://nowhere"
        let telemetry = try Oriel.telemetry(configuration)
        #expect(telemetry.problems.count == 1)
        #expect(telemetry.problems.first?.contains("ftp://nowhere") ?? false)
        Logger(label: "shop") { telemetry.logHandler(label: $0) }.info("nobody hears this")
        telemetry.tracer.withSpan("nor sees that") { _ in }
        await telemetry.shutdown(timeout: .seconds(1))
    }

    @Test func oneUnusableReceiverKeepsNoneOfTheOthersBack() async throws {
        var configuration = Oriel.Configuration()
        configuration.logExporters = [.otlp]
        configuration.otlp.spans.endpoint = "http://user:secret@nowhere"
        // Nobody sends metrics over OTLP, so nobody looks at where they would go.
        configuration.metricExporters = []
        configuration.otlp.metrics.endpoint = "ftp://nowhere"
        configuration.otlp.logs.endpoint = "unix:/there-is-no-such-socket"
        let telemetry = try Oriel.telemetry(configuration)
        #expect(telemetry.problems.count == 1)
        let problem = try #require(telemetry.problems.first)
        #expect(problem.contains("spans:") && problem.contains("http://…@nowhere") && !problem.contains("secret"))
        Logger(label: "shop") { telemetry.logHandler(label: $0) }.info("has somewhere to go")
        telemetry.tracer.withSpan("has not") { _ in }
        await telemetry.shutdown(timeout: .seconds(1))
        let statistics = try #require(telemetry.statistics)
        #expect(statistics[.logs].emitted == 1 && statistics[.spans].emitted == 0)
    }

    #if !TLS
    @Test func whoCannotSendForWantOfTLSIsToldBothWaysOut() async throws {
        let variables = ["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_LOGS_EXPORTER": "otlp"]
        let telemetry = try Oriel.telemetry(Oriel.Configuration(environment: variables))
        #expect(telemetry.problems.count == 3 && telemetry.statistics == nil)
        #expect(telemetry.problems.contains { $0.contains("OTEL_EXPORTER_OTLP_INSECURE=true") && $0.contains("https://collector:4318") })
        #expect(telemetry.problems.contains { $0.contains("trait \"TLS\"") && $0.contains("logs, metrics, spans") })
        await telemetry.shutdown(timeout: .seconds(1))
    }
    #endif

    @Test func whatIsWrongWithAllSignalsIsToldOnce() async throws {
        var configuration = Oriel.Configuration()
        configuration.logExporters = [.otlp]
        configuration.otlp.setHeader("Content-Type", "secret")
        let telemetry = try Oriel.telemetry(configuration)
        #expect(telemetry.problems.count == 1)
        let problem = try #require(telemetry.problems.first)
        #expect(problem.contains("logs, metrics, spans:") && problem.contains("content-type") && !problem.contains("secret"))
        #expect(telemetry.statistics == nil)
        await telemetry.shutdown(timeout: .seconds(1))
    }

    @Test func aDisabledClientRecordsNothing() async throws {
        let telemetry = try telemetry { $0.isDisabled = true }
        Logger(label: "shop") { telemetry.logHandler(label: $0) }.info("lost")
        telemetry.tracer.withSpan("lost") { span in #expect(!span.isRecording) }
        #expect(telemetry.statistics == nil)
        await telemetry.shutdown(timeout: .seconds(1))
        #expect(exporter.spans.isEmpty && exporter.logs.isEmpty && exporter.metrics.isEmpty)
    }

    @Test func aDisabledClientPassesTheCallersTraceOn() async throws {
        let tracer = try telemetry { $0.isDisabled = true }.tracer
        let headers = ["traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "vendor=1", "baggage": "user=7"]
        tracer.withSpan("request", context: tracer.context(headers), ofKind: .server) { request in
            #expect(!request.isRecording && request.spanContext.spanID.hexadecimal == "00f067aa0ba902b7")
            tracer.withSpan("query", ofKind: .client) { query in
                #expect(tracer.headers(query.context) == headers)
                #expect(tracer.headers(ServiceContext.current ?? .topLevel) == headers)
            }
        }
        // Where none came there is none.
        tracer.withSpan("job") { job in
            #expect(job.context.spanContext == nil && tracer.headers(job.context).isEmpty && job.spanContext.traceID.isZero)
        }
    }

    @Test func whoWantsToBeScrapedIs() async throws {
        let telemetry = try telemetry {
            $0.metricExporters = [.prometheus]
            $0.prometheus.port = 0
        }
        #expect(telemetry.listener.map { $0.port > 0 } ?? false)
        await telemetry.flush(timeout: .seconds(30))
        #expect(exporter.metrics.isEmpty)
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func theConfiguredMetadataProviderIsAsked() async throws {
        let telemetry = try telemetry { $0.metadataProvider = Logger.MetadataProvider { ["tenant": "acme"] } }
        Logger(label: "shop") { telemetry.logHandler(label: $0) }.info("paid")
        let own = Logger.MetadataProvider { ["tenant": "other"] }
        Logger(label: "shop") { telemetry.logHandler(label: $0, metadataProvider: own) }.info("paid")
        #expect(await telemetry.flush(timeout: .seconds(30)))
        #expect(exporter.logs.map { $0["tenant"] } == ["acme", "other"])
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func bootstrapInstallsTheMetadataProvider() async {
        await #expect(processExitsWith: .success) {
            let exporter = MemoryExporter()
            var configuration = Oriel.Configuration()
            configuration.logExporters = []
            configuration.metricExporters = []
            configuration.spanExporters = []
            configuration.customExporters = [exporter]
            configuration.metadataProvider = Logger.MetadataProvider { ["tenant": "acme"] }
            let telemetry = try Oriel.bootstrap(configuration)
            Logger(label: "shop").info("paid")
            #expect(await telemetry.flush(timeout: .seconds(30)))
            #expect(exporter.logs.map { $0["tenant"] } == ["acme"])
            #expect(LoggingSystem.metadataProvider != nil)
        }
    }

    @Test func bootstrapInstallsOnce() async {
        await #expect(processExitsWith: .success) {
            var configuration = Oriel.Configuration()
            configuration.logExporters = []
            configuration.metricExporters = []
            configuration.spanExporters = []
            let telemetry = try Oriel.bootstrap(configuration)
            Counter(label: "bootstrapped").increment()
            #expect(telemetry.prometheusText().contains("bootstrapped_total 1"))
            #expect(Oriel.bootstrapped === telemetry)
            #expect(throws: Oriel.BootstrapError.alreadyBootstrapped) { try Oriel.bootstrap(configuration) }
        }
    }
}

@Suite struct CaptureTests {
    @Test func aBlocksTelemetryIsCaptured() async throws {
        let capture = try await captureTelemetry { capture in
            withSpan("handler") { span in
                Logger.current.info("begun", metadata: ["user": "u1"])
                for _ in 0..<3 { withSpan("SELECT cart") { _ in } }
                span.attributes["items"] = 3
            }
            Counter(label: "orders", dimensions: [("kind", "web")]).increment()
            Timer(label: "latency").recordMilliseconds(5)
            return capture
        }
        let handler = try #require(capture.spans(named: "handler").first)
        #expect(handler.isRoot && !handler.isError)
        #expect(handler["items"] == .int(3))
        #expect(capture.children(of: handler).count == 3)
        #expect(capture.repetitions(below: handler, atLeast: 3) == ["SELECT cart": 3])
        #expect(capture.logs(of: handler).map(\.message) == ["begun"])
        #expect(capture.logs.first?["user"] == .string("u1"))
        #expect(capture.value(of: "orders_total", labels: ["kind": "web"]) == 1)
        #expect(capture.value(of: "orders_total") == nil)
        #expect(capture.count(of: "latency_seconds") == 1)
    }

    @Test func aGaugeMayBeNamedAsACounterIs() async throws {
        let capture = try await captureTelemetry { capture in
            Meter(label: "memory_total").set(16)
            Counter(label: "requests.total").increment(by: 2)
            return capture
        }
        #expect(capture.value(of: "memory_total") == 16)
        #expect(capture.value(of: "memory") == nil)
        #expect(capture.value(of: "requests_total") == 2)
        #expect(capture.value(of: "requests") == 2)
    }

    @Test func blocksThatRunAtOnceSeeTheirOwnOnly() async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let capture = try await captureTelemetry { capture in
                        for _ in 0...number { withSpan("work") { _ in } }
                        return capture
                    }
                    return capture.spans.count - number
                }
            }
            for try await count in group { #expect(count == 1) }
        }
    }

    @Test func whatWasMadeBeforeIsNotCaptured() async throws {
        let early = Counter(label: "early")
        let capture = try await captureTelemetry { capture in
            early.increment()
            return capture
        }
        #expect(capture.value(of: "early_total") == nil)
    }
}

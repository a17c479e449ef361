import Logging
import OrielClient
import OrielTelemetry
import Testing
import Tracing

@testable import Oriel

@Suite struct ConfigurationTests {
    private func configuration(_ environment: [String: String]) -> Oriel.Configuration { Oriel.Configuration(environment: environment) }

    @Test func theDefaultsAreThoseOfTheSpecification() {
        for configuration in [Oriel.Configuration(), configuration([:])] {
            #expect(!configuration.isDisabled)
            #expect(configuration.logExporters == [.otlp, .console])
            #expect(configuration.metricExporters == [.otlp])
            #expect(configuration.spanExporters == [.otlp])
            #expect(configuration.otlp.logs.endpoint == "http://localhost:4318/v1/logs")
            #expect(configuration.otlp.metrics.endpoint == "http://localhost:4318/v1/metrics")
            #expect(configuration.otlp.spans.endpoint == "http://localhost:4318/v1/traces")
            #expect(configuration.otlp.logs.timeout == .seconds(10))
            #expect(configuration.sampler == .parentBasedAlwaysOn)
            #expect(configuration.propagators == [.traceContext, .baggage])
            #expect(configuration.delivery.spanDelay == .seconds(5))
            #expect(configuration.delivery.logDelay == .seconds(1))
            #expect(configuration.delivery.metricInterval == .seconds(60))
            #expect(configuration.delivery.queueBytes == 16 << 20)
            #expect(configuration.delivery.batchBytes == 512 << 10)
            #expect(configuration.delivery.exportTimeout == .seconds(10))
            #expect(configuration.temporality == .cumulative)
            #expect(configuration.histogramAggregation == nil)
            #expect(configuration.exemplarFilter == .traceBased)
            #expect(configuration.spanLimits == Oriel.SpanLimits())
            #expect(configuration.logLevel == .info)
            #expect(configuration.prometheus.port == 9464)
            #expect(configuration.problems.isEmpty)
        }
    }

    @Test func variablesAreRead() {
        let configuration = configuration([
            "OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "team=a%2Cb, service.version = 1.2 ,x=", "OTEL_SDK_DISABLED": "TRUE",
            "OTEL_LOGS_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "prometheus,otlp", "OTEL_TRACES_EXPORTER": "none",
            "OTEL_EXPORTER_PROMETHEUS_HOST": "0.0.0.0", "OTEL_EXPORTER_PROMETHEUS_PORT": "9999", "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25", "OTEL_PROPAGATORS": "b3, tracecontext,b3", "OTEL_BSP_SCHEDULE_DELAY": "250",
            "OTEL_BLRP_SCHEDULE_DELAY": "100", "OTEL_METRIC_EXPORT_INTERVAL": "15000", "OTEL_BSP_MAX_QUEUE_SIZE": "1024",
            "OTEL_BLRP_MAX_QUEUE_SIZE": "1024", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "256", "ORIEL_SPILL_FOLDER": "/var/spool/shop",
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "LowMemory",
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram", "OTEL_METRICS_EXEMPLAR_FILTER": "always_off",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "100", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "200", "OTEL_ATTRIBUTE_COUNT_LIMIT": "10",
            "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": "20", "OTEL_SPAN_EVENT_COUNT_LIMIT": "1", "OTEL_SPAN_LINK_COUNT_LIMIT": "2",
            "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "3", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "4", "LOG_LEVEL": "WARN", "ORIEL_LOGS_CODE": "true",
            "ORIEL_CONSOLE_FORM": "json",
        ])
        #expect(configuration.problems.isEmpty, "\(configuration.problems)")
        #expect(configuration.serviceName == "shop")
        #expect(
            configuration.resourceAttributes == [Attribute("team", "a,b"), Attribute("service.version", "1.2"), Attribute("x", "")])
        #expect(configuration.isDisabled)
        #expect(configuration.logExporters == [.otlp])
        #expect(configuration.metricExporters == [.prometheus, .otlp])
        #expect(configuration.spanExporters == [])
        #expect(configuration.prometheus.host == "0.0.0.0" && configuration.prometheus.port == 9999)
        #expect(configuration.sampler == .parentBasedTraceIDRatio(0.25))
        #expect(configuration.propagators == [.b3, .traceContext])
        #expect(configuration.delivery.spanDelay == .milliseconds(250))
        #expect(configuration.delivery.logDelay == .milliseconds(100))
        #expect(configuration.delivery.metricInterval == .seconds(15))
        #expect(configuration.delivery.queueBytes == 8 << 20)
        #expect(configuration.delivery.batchBytes == 256 << 10)
        #expect(configuration.delivery.spillFolder == "/var/spool/shop")
        #expect(configuration.temporality == .lowMemory)
        #expect(configuration.histogramAggregation == .exponential)
        #expect(configuration.exemplarFilter == .alwaysOff)
        #expect(configuration.spanLimits.attributeValueLength == 200 && configuration.spanLimits.attributes == 10)
        #expect(configuration.spanLimits.events == 1 && configuration.spanLimits.links == 2)
        #expect(configuration.spanLimits.attributesPerEvent == 3 && configuration.spanLimits.attributesPerLink == 4)
        #expect(configuration.logs.valueLengthLimit == 100 && configuration.logs.attributeCountLimit == 20)
        #expect(configuration.logLevel == .warning)
        #expect(configuration.logs.includesCode)
        #expect(configuration.consoleForm == .json)
    }

    @Test func nonsenseIsReportedAndTheDefaultStays() throws {
        let wrong = [
            "OTEL_RESOURCE_ATTRIBUTES": "a=1,b", "OTEL_SDK_DISABLED": "yes", "OTEL_LOGS_EXPORTER": "syslog", "OTEL_METRICS_EXPORTER": "otlp,statsd",
            "OTEL_EXPORTER_PROMETHEUS_PORT": "70000", "OTEL_TRACES_SAMPLER": "jaeger_remote", "OTEL_PROPAGATORS": "jaeger,b3",
            "OTEL_BSP_SCHEDULE_DELAY": "-1", "OTEL_BLRP_SCHEDULE_DELAY": "soon", "OTEL_METRIC_EXPORT_INTERVAL": "0", "OTEL_BSP_MAX_QUEUE_SIZE": "0",
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "both", "OTEL_ATTRIBUTE_COUNT_LIMIT": "1e3", "LOG_LEVEL": "loud",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "10s", "OTEL_EXPORTER_OTLP_COMPRESSION": "brotli", "OTEL_EXPORTER_OTLP_ENDPOINT": "localhost",
            "OTEL_EXPORTER_OTLP_HEADERS": "secret", "OTEL_METRICS_EXEMPLAR_FILTER": "some", "ORIEL_CONSOLE_FORM": "xml",
        ]
        let configuration = configuration(wrong)
        #expect(Set(configuration.problems.map(\.variable)) == Set(wrong.keys))
        #expect(configuration.problems.count == wrong.count)
        for problem in configuration.problems where problem.variable != "OTEL_EXPORTER_OTLP_HEADERS" {
            #expect(problem.value == wrong[problem.variable])
            #expect(!problem.expected.isEmpty && !problem.used.isEmpty)
        }
        #expect(!configuration.problems.contains { "\($0)".contains("secret") })
        #expect(configuration.resourceAttributes.isEmpty)
        #expect(configuration.logExporters == [.otlp, .console])
        #expect(configuration.metricExporters == [.otlp])
        #expect(configuration.propagators == [.b3])
        #expect(configuration.sampler == .parentBasedAlwaysOn)
        #expect(configuration.delivery.queueBytes == 16 << 20)
        #expect(configuration.otlp == Oriel.OTLPConfiguration())
        let level = try #require(configuration.problems.first { $0.variable == "LOG_LEVEL" })
        #expect(
            level.description == "LOG_LEVEL=loud is not understood: expected trace, debug, info, notice, warning, error, critical; using info")
    }

    @Test func theLimitsOfEventsAndLinksAreApart() {
        let events = configuration(["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "1000"])
        #expect(events.spanLimits.attributesPerEvent == 1000 && events.spanLimits.attributesPerLink == 128)
        let links = configuration(["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "0", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "many"])
        #expect(links.spanLimits.attributesPerEvent == 128 && links.spanLimits.attributesPerLink == 0)
        #expect(links.problems.map(\.used) == ["128"])
    }

    @Test func anUnknownAggregationKeepsTheDefault() {
        let unknown = configuration(["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "foo"])
        #expect(unknown.histogramAggregation == nil && unknown.problems.count == 1)
        let explicit = configuration(["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "explicit_bucket_histogram"])
        #expect(explicit.histogramAggregation == .explicit && explicit.problems.isEmpty)
    }

    @Test(
        arguments: [
            // The specification's defaults are those that hold.
            (["OTEL_BSP_MAX_QUEUE_SIZE": "2048"], 16 << 20, nil), (["OTEL_BLRP_MAX_QUEUE_SIZE": "2048", "OTEL_BSP_MAX_QUEUE_SIZE": "2048"], 16 << 20, nil),
            (["OTEL_BLRP_MAX_QUEUE_SIZE": "4096"], 24 << 20, nil), (["OTEL_BSP_MAX_QUEUE_SIZE": "1"], (8 << 20) + 4096, nil),
            // Too much is as much as is possible.
            (["OTEL_BSP_MAX_QUEUE_SIZE": "2000000"], (4 << 30) + (8 << 20), "1048576"),
            (["OTEL_BSP_MAX_QUEUE_SIZE": "99999999999999999999"], (4 << 30) + (8 << 20), "1048576"),
            (["OTEL_BSP_MAX_QUEUE_SIZE": "many"], 16 << 20, "2048"), (["OTEL_BSP_MAX_QUEUE_SIZE": "-1"], 16 << 20, "2048"),
        ] as [([String: String], Int, String?)])
    func queuesAreAsLargeAsIsSaid(variables: [String: String], bytes: Int, told: String?) {
        let configuration = configuration(variables)
        #expect(configuration.delivery.queueBytes == bytes)
        #expect(configuration.problems.map(\.used) == [told].compactMap { $0 })
    }

    @Test func requestsAreAsLargeAsIsSaid() {
        #expect(configuration(["OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "512"]).delivery.batchBytes == 512 << 10)
        #expect(configuration(["OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "100", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "200"]).delivery.batchBytes == 200 << 10)
        let large = configuration(["OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "5000"])
        #expect(large.delivery.batchBytes == 2 << 20 && large.problems.map(\.used) == ["2048"])
    }

    @Test func whatIsSetInVainIsTold() {
        let configuration = configuration(["OTEL_CONFIG_FILE": "/a.yaml", "OTEL_EXPERIMENTAL_CONFIG_FILE": "/b.yaml", "OTEL_LOG_LEVEL": "debug"])
        #expect(configuration.problems.map(\.variable) == ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE", "OTEL_LOG_LEVEL"])
        #expect(configuration.problems.map(\.value) == ["/a.yaml", "/b.yaml", "debug"])
        #expect(configuration.problems.prefix(2).allSatisfy { "\($0)".contains("not supported") })
        #expect(self.configuration(["OTEL_LOG_LEVEL": "INFO"]).problems.isEmpty)
    }

    @Test func emptyVariablesCountAsNotSet() {
        let configuration = configuration(["OTEL_SERVICE_NAME": "", "OTEL_TRACES_SAMPLER": " ", "OTEL_EXPORTER_OTLP_ENDPOINT": "", "LOG_LEVEL": ""])
        #expect(configuration.serviceName == nil)
        #expect(configuration.problems.isEmpty)
    }

    @Test(arguments: [
        ("always_on", nil, Oriel.SamplerChoice.alwaysOn), ("always_off", "0.5", .alwaysOff), ("traceidratio", nil, .traceIDRatio(1)),
        ("TraceIDRatio", "0", .traceIDRatio(0)), ("parentbased_always_on", nil, .parentBasedAlwaysOn),
        ("parentbased_always_off", nil, .parentBasedAlwaysOff), ("traceidratio", "2", .traceIDRatio(1)), ("traceidratio", "nan", .traceIDRatio(1)),
    ])
    func samplers(name: String, argument: String?, expected: Oriel.SamplerChoice) {
        var environment = ["OTEL_TRACES_SAMPLER": name]
        environment["OTEL_TRACES_SAMPLER_ARG"] = argument
        let configuration = configuration(environment)
        #expect(configuration.sampler == expected)
        #expect(configuration.problems.map(\.variable) == (argument == "2" || argument == "nan" ? ["OTEL_TRACES_SAMPLER_ARG"] : []))
    }

    @Test func theSamplerThatWasChosenDecides() {
        let candidate = Oriel.SamplingCandidate(parent: nil, traceID: TraceID(high: 1, low: .max), operationName: "x", kind: .server)
        for (choice, isSampled) in [
            (Oriel.SamplerChoice.alwaysOn, true), (.alwaysOff, false), (.traceIDRatio(1), true), (.traceIDRatio(0), false),
            (.parentBasedAlwaysOn, true), (.parentBasedAlwaysOff, false), (.parentBasedTraceIDRatio(1), true), (.parentBasedTraceIDRatio(0), false),
        ] {
            #expect(choice.sampler.decision(for: candidate).isSampled == isSampled, "\(choice)")
        }
    }

    @Test func thisProcessCanBeAsked() {
        // The variables of the machine that tests run on are not known, but reading them does no harm.
        _ = Oriel.Configuration.environment()
    }
}

import Logging
import OrielClient
import OrielTelemetry

extension Oriel.Configuration {
    /// What the variables of an environment say, and the defaults where they say nothing. The names are those of OpenTelemetry's "Environment Variable Specification"; besides them `LOG_LEVEL`
    /// and `ORIEL_…`.
    public init(environment: [String: String]) {
        self.init(EnvironmentVariables(environment))
    }

    /// What the variables of this process say now.
    public static func environment() -> Oriel.Configuration {
        Oriel.Configuration(.process)
    }

    init(_ variables: EnvironmentVariables) {
        var reader = EnvironmentReader(variables)
        readResource(&reader)
        readExporters(&reader)
        otlp.read(&reader)
        readDelivery(&reader)
        readSpans(&reader)
        readMetrics(&reader)
        readLogs(&reader)
        noteUnsupported(&reader)
        problems = reader.problems
    }

    /// Tells what is set in vain.
    private func noteUnsupported(_ reader: inout EnvironmentReader) {
        for name in ["OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE"] {
            guard let value = reader.variables[name] else { continue }
            reader.note(name, value, expected: "nothing, since files of configuration are not supported", used: "the other variables")
        }
        let name = "OTEL_LOG_LEVEL"
        // The default of the specification is what is done.
        if let value = reader.variables[name], value.lowercased() != "info" {
            let expected = "nothing, since what the client says of itself has no level (LOG_LEVEL is that of the service's log lines)"
            reader.note(name, value, expected: expected, used: "info")
        }
    }

    private mutating func readResource(_ reader: inout EnvironmentReader) {
        reader.boolean("OTEL_SDK_DISABLED", &isDisabled)
        serviceName = reader.variables["OTEL_SERVICE_NAME"]
        let name = "OTEL_RESOURCE_ATTRIBUTES"
        guard let value = reader.variables[name] else { return }
        // One that is wrong makes all of them doubtful: the specification wants all to be left out.
        if let pairs = KeyValueList.read(value) {
            resourceAttributes = pairs.map { Attribute($0.key, .string($0.value)) }
        } else {
            reader.note(name, value, expected: "key=value pairs with commas between them, percent-encoded where needed", used: "no attributes")
        }
    }

    private mutating func readExporters(_ reader: inout EnvironmentReader) {
        readExporters("OTEL_LOGS_EXPORTER", [.otlp, .console], &logExporters, &reader)
        readExporters("OTEL_METRICS_EXPORTER", [.otlp, .console, .prometheus], &metricExporters, &reader)
        readExporters("OTEL_TRACES_EXPORTER", [.otlp, .console], &spanExporters, &reader)
        var host = prometheus.host
        if let value = reader.variables["OTEL_EXPORTER_PROMETHEUS_HOST"] { host = value }
        prometheus.host = host
        reader.integer("OTEL_EXPORTER_PROMETHEUS_PORT", 0...65_535, &prometheus.port)
        reader.choice("ORIEL_CONSOLE_FORM", &consoleForm)
    }

    private func readExporters(
        _ name: String, _ known: [Oriel.ExporterChoice], _ setting: inout Set<Oriel.ExporterChoice>, _ reader: inout EnvironmentReader
    ) {
        guard let names = reader.list(name), !names.isEmpty else { return }
        var choices: Set<Oriel.ExporterChoice> = []
        var unknown: [String] = []
        for name in names.map({ $0.lowercased() }) where name != "none" {
            // `logging` is what the console was called before.
            if let choice = known.first(where: { $0.rawValue == name || ($0 == .console && name == "logging") }) {
                choices.insert(choice)
            } else {
                unknown.append(name)
            }
        }
        if choices.isEmpty, !unknown.isEmpty { choices = setting }
        if !unknown.isEmpty {
            let used = known.filter { choices.contains($0) }.map(\.rawValue).joined(separator: ",")
            reader.note(
                name, names.joined(separator: ","), expected: (known.map(\.rawValue) + ["none"]).joined(separator: ", "), used: used)
        }
        setting = choices
    }

    /// Queues and requests are bounded in bytes here, and in items there. Items are taken for as large as makes the specification's defaults, 2,048 in a queue
    /// and 512 in a request, those that hold here: 8 MiB for each of spans and logs, and 512 KiB.
    private mutating func readDelivery(_ reader: inout EnvironmentReader) {
        reader.milliseconds("OTEL_BSP_SCHEDULE_DELAY", zero: .milliseconds(1), &delivery.spanDelay)
        reader.milliseconds("OTEL_BLRP_SCHEDULE_DELAY", zero: .milliseconds(1), &delivery.logDelay)
        reader.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", &delivery.metricInterval)

        let (standardQueue, standardBatch) = (2048, 512)
        let queuedItemBytes = delivery.queueBytes / 2 / standardQueue
        let sentItemBytes = delivery.batchBytes / standardBatch
        var queueItems = 0
        var batches: [Int] = []
        for prefix in ["OTEL_BSP", "OTEL_BLRP"] {
            // A signal of which nothing is said keeps its half.
            let items = reader.count("\(prefix)_MAX_QUEUE_SIZE", limit: 1 << 20, standard: standardQueue) ?? standardQueue
            queueItems += items
            if let batch = reader.count("\(prefix)_MAX_EXPORT_BATCH_SIZE", limit: items, standard: min(standardBatch, items)) { batches.append(batch) }
        }
        delivery.queueBytes = max(queueItems * queuedItemBytes, 64 << 10)
        if let batch = batches.max() { delivery.batchBytes = max(batch * sentItemBytes, 16 << 10) }
        // A request ends when the receiver's own time is over, or that of its batch: each signal has both.
        let names: [(String, ExportSignal)] = [
            ("OTEL_BSP_EXPORT_TIMEOUT", .spans), ("OTEL_BLRP_EXPORT_TIMEOUT", .logs), ("OTEL_METRIC_EXPORT_TIMEOUT", .metrics),
        ]
        for (name, signal) in names {
            let receivers = otlp[signal].timeout
            var timeout = receivers
            reader.milliseconds(name, zero: OTLPTimeout.unlimited, &timeout)
            otlp[signal].timeout = min(timeout, receivers)
        }
        delivery.exportTimeout = otlp.longestTimeout
        receiversTimeout = delivery.exportTimeout
        if let folder = reader.variables["ORIEL_SPILL_FOLDER"] { delivery.spillFolder = folder }
    }

    private mutating func readSpans(_ reader: inout EnvironmentReader) {
        readSampler(&reader)
        readPropagators(&reader)
        let unbounded = 0...Int.max
        for name in ["OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"] { reader.integer(name, unbounded, &spanLimits.attributes) }
        for name in ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"] {
            var length = spanLimits.attributeValueLength ?? Int.max
            if reader.integer(name, unbounded, &length) { spanLimits.attributeValueLength = length }
        }
        reader.integer("OTEL_SPAN_EVENT_COUNT_LIMIT", unbounded, &spanLimits.events)
        reader.integer("OTEL_SPAN_LINK_COUNT_LIMIT", unbounded, &spanLimits.links)
        reader.integer("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", unbounded, &spanLimits.attributesPerEvent)
        reader.integer("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", unbounded, &spanLimits.attributesPerLink)
    }

    private mutating func readSampler(_ reader: inout EnvironmentReader) {
        let name = "OTEL_TRACES_SAMPLER"
        guard let value = reader.variables[name] else { return }
        guard let choice = Oriel.SamplerChoice(name: value.lowercased()) else {
            return reader.note(name, value, expected: Oriel.SamplerChoice.names.joined(separator: ", "), used: sampler.name)
        }
        sampler = choice
        let argument = "OTEL_TRACES_SAMPLER_ARG"
        guard let text = reader.variables[argument] else { return }
        switch choice {
        case .traceIDRatio, .parentBasedTraceIDRatio:
            guard let ratio = Double(text), (0...1).contains(ratio) else {
                return reader.note(argument, text, expected: "a number from 0 to 1", used: "1")
            }
            sampler = Oriel.SamplerChoice(name: choice.name, ratio: ratio) ?? choice
        default: break
        }
    }

    private mutating func readPropagators(_ reader: inout EnvironmentReader) {
        let name = "OTEL_PROPAGATORS"
        guard let names = reader.list(name), !names.isEmpty else { return }
        var choices: [Oriel.Propagator] = []
        var unknown = false
        for name in names {
            guard let choice = Oriel.Propagator(name: name) else {
                unknown = true
                continue
            }
            if choice != .disabled, !choices.contains(choice) { choices.append(choice) }
        }
        if unknown {
            if choices.isEmpty { choices = propagators }
            reader.note(
                name, names.joined(separator: ","), expected: Oriel.Propagator.allCases.map(\.rawValue).joined(separator: ", "),
                used: choices.map(\.rawValue).joined(separator: ","))
        }
        propagators = choices
    }

    private mutating func readMetrics(_ reader: inout EnvironmentReader) {
        reader.choice("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", &temporality)
        reader.choice("OTEL_METRICS_EXEMPLAR_FILTER", &exemplarFilter)
        histogramAggregation = reader.choice(
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            used: "\(Oriel.HistogramAggregation.explicit.rawValue) for timers, \(Oriel.HistogramAggregation.exponential.rawValue) for recorders")
    }

    private mutating func readLogs(_ reader: inout EnvironmentReader) {
        for name in ["OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT"] { reader.integer(name, 0...Int.max, &logs.attributeCountLimit) }
        for name in ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT"] {
            reader.integer(name, 0...Int.max, &logs.valueLengthLimit)
        }
        reader.boolean("ORIEL_LOGS_CODE", &logs.includesCode)
        guard let value = reader.variables["LOG_LEVEL"] else { return }
        // The names of other languages' libraries are accepted too.
        let name = ["warn": "warning", "fatal": "critical"][value.lowercased()] ?? value.lowercased()
        if let level = Logging.Logger.Level(rawValue: name) {
            logLevel = level
        } else {
            reader.note(
                "LOG_LEVEL", value, expected: Logging.Logger.Level.allCases.map(\.rawValue).joined(separator: ", "), used: logLevel.rawValue)
        }
    }
}

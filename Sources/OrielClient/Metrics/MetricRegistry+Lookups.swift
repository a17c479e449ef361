import OrielTelemetry

/// Instruments as a metrics API's backend asks for them, which remembers the answers by itself.
extension MetricRegistry {
    /// An instrument, and whether others may be given the same one: an overflow series', or one that is not exported. Such an answer is not to be remembered.
    package struct Found<Instrument: Sendable>: Sendable {
        package var instrument: Instrument
        package var isShared: Bool
    }

    /// As ``counter(_:labels:help:unit:)``.
    /// - Parameter spans: tells a new counter the spans of its exemplars; of an existing one nothing changes.
    package func findCounter(_ name: String, labels: MetricLabels, help: String, unit: String, spans: SpanSource?) -> Found<Counter> {
        do {
            let found = try counter(Request(name: name, labels: labels, kind: .counter, help: help, unit: unit, spans: spans, isStrict: false))
            return Found(instrument: found.counter, isShared: found.series.isOverflow)
        } catch {
            faults.reject(name, error)
            return Found(instrument: detachedCounter, isShared: true)
        }
    }

    /// As ``gauge(_:labels:help:unit:)``.
    package func findGauge(_ name: String, labels: MetricLabels, help: String, unit: String) -> Found<Gauge> {
        do {
            let found = try gauge(Request(name: name, labels: labels, kind: .gauge, help: help, unit: unit, isStrict: false))
            return Found(instrument: found.gauge, isShared: found.series.isOverflow)
        } catch {
            faults.reject(name, error)
            return Found(instrument: detachedGauge, isShared: true)
        }
    }

    /// As ``histogram(_:labels:help:unit:buckets:)``.
    /// - Parameter spans: tells a new histogram the spans of its exemplars; of an existing one nothing changes.
    package func findHistogram(
        _ name: String, labels: MetricLabels, help: String, unit: String, buckets: HistogramBuckets, spans: SpanSource?
    ) -> Found<Histogram> {
        do {
            let found = try histogram(
                Request(name: name, labels: labels, kind: .histogram, help: help, unit: unit, buckets: buckets, spans: spans, isStrict: false))
            return Found(instrument: found.histogram, isShared: found.series.isOverflow)
        } catch {
            faults.reject(name, error)
            return Found(instrument: detachedHistogram, isShared: true)
        }
    }
}

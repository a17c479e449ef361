import OrielOTLP
public import OrielTelemetry

extension MetricSnapshot {
    /// Puts what the process is in front: a metric `target_info` with the value one whose labels are the attributes of `resource`, as
    /// OpenTelemetry asks of who is scraped. Not for what is pushed: receivers make it of the resource themselves.
    ///
    /// Keys become labels' names as those of metrics do; values whose keys become the same name are joined by `;` in the order of the keys,
    /// and of one key the last value counts. Nothing is added when no attribute has a value, or when an instrument has the name. What a
    /// resource holds is what the application was configured with, so there is no bound but that.
    public mutating func addTargetInfo(of resource: Resource) {
        // OpenMetrics demands that it is the first one, and one only.
        guard !families.contains(where: { ["target", "target_info"].contains($0.name) }) else { return }
        var values: [String: String] = [:]
        for attribute in resource.attributes { values[attribute.key] = MetricName.naming.labelText(attribute.value) }
        var labels: [String: String] = [:]
        for (key, value) in values.sorted(by: { $0.key < $1.key }) where !value.isEmpty {
            let name = MetricName.sanitizedLabel(key, kind: .info)
            labels[name] = labels[name].map { "\($0);\(value)" } ?? value
        }
        guard !labels.isEmpty else { return }
        let sorted = labels.map { MetricLabel(name: $0.key, value: $0.value) }.sorted()
        let series = Series(SeriesLabels(sorted), start: time, point: .info)
        families.insert(
            Family(name: "target", kind: .info, unit: "", help: "Attributes of the resource that the metrics are of.", series: [series]), at: 0)
    }
}

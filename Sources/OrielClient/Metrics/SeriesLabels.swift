/// The labels of a series in both forms, by one reference: snapshots name each series anew.
final class SeriesLabels: Sendable {
    /// Sorted by name.
    let labels: [MetricLabel]
    /// See ``MetricSnapshot/Series/renderedLabels``.
    let rendered: [UInt8]

    init(_ labels: [MetricLabel]) {
        self.labels = labels
        rendered = LabelText.rendered(labels)
    }
}

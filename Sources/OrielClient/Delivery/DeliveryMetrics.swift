extension MetricRegistry {
    /// Adds the metrics of a pipeline, `oriel_client_…`: what became of its telemetry, how much waits, whether the receiver is there. So what was dropped while the way was
    /// closed is told when it is open again.
    ///
    /// The pipeline is not kept alive; without it there is nothing to tell.
    ///
    /// - Parameter labels: of all series; they must tell several pipelines apart.
    @discardableResult
    public func addCollector(of pipeline: DeliveryPipeline, labels: MetricLabels = [:]) -> CollectorID {
        addCollector { [weak pipeline] collector in pipeline?.statistics.collect(into: &collector, labels: labels) }
    }
}

extension DeliveryStatistics {
    /// Adds the statistics to a snapshot. Each reason for which a signal can be dropped is there as soon as something of the signal was emitted, so that its rate begins at zero.
    ///
    /// - Parameter labels: of all series, beside their own.
    public func collect(into collector: inout MetricCollector, labels: MetricLabels = [:]) {
        for signal in ExportSignal.allCases {
            let counts = self[signal]
            if counts.emitted > 0 || counts.recovered > 0 {
                let help = "Log records, spans and metric points by what became of them."
                collector.counter(
                    "oriel_client_items", labels: labels.adding([("signal", signal.rawValue), ("outcome", "delivered")]), help: help,
                    value: Double(counts.delivered))
                for reason in Reason.allCases {
                    collector.counter(
                        "oriel_client_items", labels: labels.adding([("signal", signal.rawValue), ("outcome", "dropped"), ("reason", reason.rawValue)]),
                        help: help, value: Double(counts.dropped[reason] ?? 0))
                }
            }
            collector.gauge(
                "oriel_client_waiting_items", labels: labels.adding([("signal", signal.rawValue)]),
                help: "Log records, spans and metric points in memory and in the spill folder.",
                value: Double(counts.waiting))
        }
        collector.gauge("oriel_client_queue_bytes", labels: labels, help: "Memory that telemetry takes on its way.", value: Double(queuedBytes))
        collector.counter(
            "oriel_client_failed_requests", labels: labels, help: "Requests to the receiver that did not arrive, each attempt counted.",
            value: Double(failedRequests))
        collector.gauge(
            "oriel_client_receiver_gone", labels: labels, help: "Whether the receiver counts as gone, so that it is only probed.",
            value: isReceiverGone ? 1 : 0)
        collector.counter(
            "oriel_client_nameless_scopes", labels: labels,
            help: "Loggers and tracers that were made when there were as many names of them as are kept.", value: Double(namelessScopes))
    }
}

extension MetricLabels {
    fileprivate func adding(_ others: [(String, String)]) -> MetricLabels { MetricLabels(pairs + others) }
}

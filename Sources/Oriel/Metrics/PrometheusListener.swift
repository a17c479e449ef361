public import OrielExporterPrometheus

extension Oriel {
    /// Lets Prometheus scrape a process that has no HTTP server of its own.
    public typealias PrometheusListener = OrielExporterPrometheus.PrometheusListener
}

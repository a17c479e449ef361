import OrielClient
import OrielStore
import OrielTelemetry

extension CollectorMetrics {
    /// What the store takes of its disk, and how long that goes well.
    static func collect(_ disk: DiskStatistics, into collector: inout MetricCollector) {
        collector.gauge("oriel_store_disk_used", help: "Bytes of all files of the store.", unit: "By", value: Double(disk.used))
        collector.gauge(
            "oriel_store_disk_other", help: "Of these, bytes of other files than segments: redo log, ballast, temporary and unknown files.", unit: "By",
            value: Double(disk.other))
        if let budget = disk.budget {
            collector.gauge("oriel_store_disk_budget", help: "Bytes that the store's files may take.", unit: "By", value: Double(budget))
        }
        if let free = disk.free {
            collector.gauge("oriel_store_disk_free", help: "Bytes free on the store's file system.", unit: "By", value: Double(free))
        }
        collector.gauge("oriel_store_disk_full", help: "1 if appends are refused for want of space.", value: disk.isFull ? 1 : 0)
        for signal in Signal.allCases {
            let labels: MetricLabels = ["signal": signal.name]
            collector.counter(
                "oriel_store_disk_dropped", labels: labels, help: "Bytes of files removed before their time for want of space.", unit: "By",
                value: Double(disk.dropped[signal] ?? 0))
            if let bytes = disk.bytesPerDay[signal] {
                collector.gauge("oriel_store_disk_growth", labels: labels, help: "Bytes that come in a day.", unit: "By", value: bytes)
            }
        }
        if let seconds = disk.secondsUntilFull {
            collector.gauge(
                "oriel_store_disk_until_full", help: "Seconds until the budget or the disk is full, if the store grows as in the last day.", unit: "s",
                value: seconds)
        }
    }
}

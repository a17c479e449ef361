import OrielClient
import OrielStore
import OrielTelemetry
import Synchronization

/// Publishes the plain statistics of server and store under `oriel_…`.
enum CollectorMetrics {
    static func register(
        in registry: MetricRegistry, version: String, revision: String, server: ServerStatistics, budget: AdmissionBudget, answers: AdmissionBudget,
        access: AccessControl, store: any TelemetryStore
    ) {
        registry.addCollector(ProcessMetrics.collect)
        registry.addCollector { collector in
            collector.info(
                "oriel_build", labels: ["version": version, "revision": revision], help: "The version of the running binary and the commit it was built from.")
            collect(server, into: &collector)
            collector.gauge(
                "oriel_admission_used", help: "Bytes held by ingest requests in progress.", unit: "By", value: Double(budget.usedBytes))
            collector.gauge(
                "oriel_admission_capacity", help: "Bytes that ingest requests in progress may hold.", unit: "By",
                value: Double(budget.capacity))
            collector.counter(
                "oriel_admission_refusals", help: "Reservations refused because the budget was spent.", value: Double(budget.refusals))
            collector.gauge("oriel_answers_used", help: "Bytes held by answers that their peers have not taken.", unit: "By", value: Double(answers.usedBytes))
            collector.gauge("oriel_answers_capacity", help: "Bytes that answers may hold.", unit: "By", value: Double(answers.capacity))
            collector.counter("oriel_answers_refusals", help: "Answers refused because others held the memory.", value: Double(answers.refusals))
            collect(access, into: &collector)
            let statistics = store.statistics
            collect(statistics, into: &collector)
            if let disk = statistics.disk { collect(disk, into: &collector) }
        }
    }

    private static func collect(_ server: ServerStatistics, into collector: inout MetricCollector) {
        collector.counter(
            "oriel_connections_accepted", help: "Connections accepted.",
            value: Double(server.connectionsAccepted.load(ordering: .relaxed)))
        collector.gauge(
            "oriel_connections_open", help: "Connections open now.", value: Double(server.connectionsOpen.load(ordering: .relaxed)))
        collector.counter(
            "oriel_connections_recycled", help: "Oldest connections that had to finish because the limit of connections was near.",
            value: Double(server.connectionsRecycled.load(ordering: .relaxed)))
        collector.counter(
            "oriel_connections_protocol_failures", help: "Connections closed because they spoke no protocol of the listener.",
            value: Double(server.protocolFailures.load(ordering: .relaxed)))
        for (statusClass, count) in server.responseCounts {
            collector.counter(
                "oriel_http_responses", labels: ["class": statusClass], help: "HTTP responses by status class; gRPC counts as 2xx.",
                value: Double(count))
        }
    }

    private static func collect(_ access: AccessControl, into collector: inout MetricCollector) {
        collector.gauge("oriel_access_tokens", help: "Bearer tokens that are valid.", value: Double(access.tokens.tokenCount))
        let refusals: KeyValuePairs<String, UInt64> = [
            "unauthenticated": access.statistics.unauthenticated.load(ordering: .relaxed),
            "forbidden": access.statistics.forbidden.load(ordering: .relaxed),
            "limited": access.statistics.limited.load(ordering: .relaxed),
        ]
        for (reason, count) in refusals {
            collector.counter(
                "oriel_access_refusals", labels: ["reason": reason], help: "Requests refused for their token or its limits.", value: Double(count))
        }
    }

    private static func collect(_ store: StoreStatistics, into collector: inout MetricCollector) {
        for (signal, statistics) in store.signals.sorted(by: { $0.key.name < $1.key.name }) {
            let labels: MetricLabels = ["signal": signal.name]
            collector.counter(
                "oriel_store_appended_rows", labels: labels, help: "Rows stored since the start.", value: Double(statistics.appendedRows))
            collector.counter(
                "oriel_store_rejected_rows", labels: labels, help: "Rows refused by the store.", value: Double(statistics.rejectedRows))
            collector.counter(
                "oriel_store_conflicting_rows", labels: labels, help: "Samples replaced by another value of the same series and time.",
                value: Double(statistics.conflictingRows))
            collector.gauge("oriel_store_rows", labels: labels, help: "Rows kept.", value: Double(statistics.rows))
            collector.gauge("oriel_store_segments", labels: labels, help: "Segment files.", value: Double(statistics.segments))
            collector.gauge(
                "oriel_store_segment_size", labels: labels, help: "Bytes of segment files.", unit: "By",
                value: Double(statistics.segmentBytes))
            collector.gauge(
                "oriel_store_unflushed_rows", labels: labels, help: "Rows in memory and the redo log only.",
                value: Double(statistics.unflushedRows))
            if statistics.floor.nanoseconds > 0 {
                collector.gauge(
                    "oriel_store_floor", labels: labels, help: "Rows before this time are gone, as seconds since 1970.", unit: "s",
                    value: Double(statistics.floor.nanoseconds) / 1e9)
            }
        }
        collector.counter("oriel_store_commits", help: "Group commits.", value: Double(store.commits))
        collector.counter("oriel_store_duplicate_requests", help: "Retried requests answered from memory.", value: Double(store.duplicateRequests))
        collector.gauge("oriel_store_streams", help: "Streams in memory.", value: Double(store.streams))
        collector.gauge("oriel_store_pinned", help: "Bytes of the copies that pins keep.", unit: "By", value: Double(store.pinnedBytes))
        collector.gauge("oriel_store_redo_size", help: "Bytes of the redo log.", unit: "By", value: Double(store.redoBytes))
        collector.counter("oriel_store_flushes", help: "Flushes to segment files.", value: Double(store.flushes))
        collector.counter("oriel_store_merges", help: "Merges of segment files.", value: Double(store.merges))
        collector.counter("oriel_store_merged", help: "Bytes written by merges.", unit: "By", value: Double(store.mergedBytes))
        collector.counter("oriel_store_scrubbed", help: "Bytes of files read again to check them.", unit: "By", value: Double(store.scrubbedBytes))
        collector.gauge("oriel_store_quarantined_files", help: "Files with known damage.", value: Double(store.quarantinedFiles))
        collector.gauge("oriel_store_damaged_blocks", help: "Blocks that queries leave out as damaged.", value: Double(store.damagedBlocks))
        collector.counter(
            "oriel_store_maintenance_failures", help: "Seals, flushes and merges that failed.", value: Double(store.maintenanceFailures))
        collector.gauge("oriel_store_unknown_files", help: "Files put aside as unusable.", value: Double(store.unknownFiles))
        collector.gauge(
            "oriel_store_recovery_losses", help: "Things that the last opening of the store found lost; the log names them.",
            value: Double(store.recovery.losses.count))
        collector.gauge(
            "oriel_store_rebuilt", help: "1 if the last opening of the store rebuilt its list of files.", value: store.recovery.isRebuilt ? 1 : 0)
        collector.gauge("oriel_store_read_only", help: "1 if the store takes no data until a restart.", value: store.isReadOnly ? 1 : 0)
    }
}

public import OrielStore
import OrielTelemetry
import OrielThreads

/// Looks at everything a store has, on a thread of its own.
struct StoreExaminer {
    let core: StoreCore
    let readsAll: Bool

    /// Names that a list has at most, and values of one label that are told apart.
    private static let listLimit = 100
    private static let valueLimit = 1 << 20

    fileprivate struct Weight {
        var bytes = 0
        var rows = 0
    }

    private struct Key: Hashable {
        var signal: Signal
        var name: String
    }

    /// Adds up over files.
    private struct Sums {
        var services: [Key: Weight] = [:]
        var columns: [Key: Weight] = [:]
        /// Streams of metrics that were seen.
        var series: Set<StreamID> = []
        var metrics: [String: Int] = [:]
        var labelValues: [String: Set<Int>] = [:]
        var valueCount = 0
    }

    /// - Parameter statistics: asked when everything was read, so that they know the damage.
    func run(statistics: () -> StoreStatistics) throws -> StoreExamination {
        let state = core.state
        var (checkedFiles, checkedBytes) = (0, 0)
        var sums = Sums()
        for signal in Signal.allCases {
            for case let segment as Segment in state[signal].files {
                if core.backups.isStopping { throw StoreError.closed }
                if readsAll {
                    try Segment.check(segment.path, byteCount: segment.description.byteCount, core: core, structure: true) { _ in
                        if core.backups.isStopping { throw StoreError.closed }
                    }
                    checkedFiles += 1
                    checkedBytes += segment.description.byteCount
                }
                do throws(StoreError) {
                    try weigh(segment, &sums)
                } catch {
                    // The damage is noted, and what else the file has is counted.
                    guard error.isDamage else { throw error }
                }
            }
        }
        withExtendedLifetime(state) {}

        var examination = StoreExamination(folder: core.folder, statistics: statistics())
        examination.checkedFiles = checkedFiles
        examination.checkedBytes = checkedBytes
        examination.services = Self.shares(sums.services)
        examination.columns = Self.shares(sums.columns)
        examination.metrics = Self.counts(sums.metrics)
        examination.labels = Self.counts(sums.labelValues.mapValues(\.count))
        for name in try UnknownFiles.names(core.folder, files: core.files) {
            let status = try core.files.status("\(core.folder)/data/unknown/\(name)")
            examination.unknownFiles.append(.init(name: name, bytes: status?.size ?? 0))
        }
        examination.freeBytes = core.freeSpace.bytes(core)
        examination.problems = problems(examination)
        return examination
    }

    // MARK: Weights

    private func weigh(_ segment: Segment, _ sums: inout Sums) throws(StoreError) {
        let services = try readStreams(segment, &sums)
        for block in segment.blocks {
            let (directory, binding) = try segment.block(block.index)
            var total = 0
            for column in directory.columns {
                let bytes = column.byteCount + column.filterByteCount
                total += bytes
                sums.columns[Key(signal: segment.signal, name: column.name.description), default: Weight()].add(bytes, directory.rowCount)
            }
            guard directory.rowCount > 0 else { continue }
            var rows: [String: Int] = [:]
            for run in directory.streamRuns(binding) where Int(run.ordinal) < services.count {
                rows[services[Int(run.ordinal)], default: 0] += run.rowCount
            }
            for (service, count) in rows {
                let bytes = Int(Double(total) * Double(count) / Double(directory.rowCount))
                sums.services[Key(signal: segment.signal, name: service), default: Weight()].add(bytes, count)
            }
        }
    }

    /// The service of each stream of a file, by ordinal; counts series on the way.
    private func readStreams(_ segment: Segment, _ sums: inout Sums) throws(StoreError) -> [String] {
        var services: [String] = []
        for page in 0..<segment.header.streamPageCount {
            let (ids, descriptors) = try segment.streamPage(page)
            for index in ids.indices {
                let descriptor: StreamDescriptor
                do {
                    descriptor = try StreamDescriptor(encoded: descriptors.bytes.span.extracting(descriptors.range(of: index)))
                } catch {
                    throw segment.damage("the descriptor of stream \(ids[index]): \(error)")
                }
                switch descriptor {
                case .scope(let resource, _): services.append(resource.serviceName)
                case .series(let labels):
                    services.append(Self.service(labels))
                    if sums.series.insert(ids[index]).inserted { Self.count(labels, &sums) }
                }
            }
        }
        return services
    }

    private static func count(_ labels: [Label], _ sums: inout Sums) {
        for label in labels {
            if label.name == Label.metricName {
                sums.metrics[label.value, default: 0] += 1
            } else if sums.valueCount < valueLimit, sums.labelValues[label.name, default: []].insert(label.value.hashValue).inserted {
                sums.valueCount += 1
            }
        }
    }

    /// What a series says of where it comes from.
    private static func service(_ labels: [Label]) -> String {
        for name in ["service_name", "job"] {
            if let label = labels.first(where: { $0.name == name }) { return label.value }
        }
        return ""
    }

    private static func shares(_ weights: [Key: Weight]) -> [StoreExamination.Share] {
        let shares = weights.map { StoreExamination.Share(signal: $0.signal, name: $0.name, bytes: $1.bytes, rows: $1.rows) }
        return Array(shares.sorted { ($1.bytes, $0.signal, $0.name) < ($0.bytes, $1.signal, $1.name) }.prefix(listLimit))
    }

    private static func counts(_ counts: [String: Int]) -> [StoreExamination.Cardinality] {
        let sorted = counts.map { StoreExamination.Cardinality(name: $0, count: $1) }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
        return Array(sorted.prefix(listLimit))
    }

    // MARK: Problems

    private func problems(_ examination: StoreExamination) -> [StoreExamination.Problem] {
        let statistics = examination.statistics
        var problems = core.damage.entries.map { entry in
            StoreExamination.Problem(place: entry.path + (entry.block.map { ", block \($0)" } ?? ""), reason: entry.reason)
        }
        let recovery = statistics.recovery
        if recovery.isRebuilt { problems.append(.init(place: "hot.db", reason: "it was rebuilt: \(recovery.reason ?? "lost")")) }
        problems += recovery.losses.map { .init(place: "recovery", reason: "lost: \($0)") }
        if let reason = core.counters.current.readOnlyReason { problems.append(.init(place: "store", reason: "it takes no data: \(reason)")) }
        if let failure = statistics.lastMaintenanceFailure {
            problems.append(.init(place: "maintenance", reason: "\(statistics.maintenanceFailures) steps failed, the last with: \(failure)"))
        }
        if !examination.unknownFiles.isEmpty {
            problems.append(
                .init(
                    place: "data/unknown",
                    reason: "\(examination.unknownFiles.count) files that are none of the store's, or copies of damaged ones; look at them, then remove them"))
        }
        return problems
    }
}

extension StoreExaminer.Weight {
    fileprivate mutating func add(_ bytes: Int, _ rows: Int) {
        self.bytes += bytes
        self.rows += rows
    }
}

extension SQLiteStore {
    public func examine(readsAll: Bool) async throws(StoreError) -> StoreExamination {
        let examiner = StoreExaminer(core: try openCore, readsAll: readsAll)
        return try await OwnThread.result("oriel-doctor", nice: 10, path: core.folder) { [self] in
            try examiner.run { statistics }
        }
    }
}

public import OrielStore
import OrielTelemetry
import OrielThreads

extension SQLiteStore {
    public func salvage(progress: @escaping @Sendable (SalvageProgress) -> Void = { _ in }) async throws(StoreError) -> SalvageReport {
        let core = try openCore
        if let reason = core.counters.current.readOnlyReason { throw .readOnly(reason: reason) }
        let report = try await OwnThread.result("oriel-doctor", nice: 10, path: core.folder) { try Self.findDamage(core, progress) }
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<SalvageReport, any Error>, Never>) in
            requests.salvage(.init(report: report, progress: progress) { continuation.resume(returning: $0) })
        }
        switch result {
        case .success(let report): return report
        case .failure(let error): throw (error as? StoreError) ?? .unusable(path: core.folder, reason: "\(error)")
        }
    }

    /// Reads all files, so that the damage that nobody met yet is known too.
    private static func findDamage(_ core: StoreCore, _ progress: (SalvageProgress) -> Void) throws -> SalvageReport {
        var report = SalvageReport(folder: core.folder)
        let state = core.state
        for signal in Signal.allCases {
            for case let segment as Segment in state[signal].files {
                try Segment.check(segment.path, byteCount: segment.description.byteCount, core: core, structure: true) { _ in
                    if core.backups.isStopping { throw StoreError.closed }
                }
                report.checkedFiles += 1
                report.checkedBytes += segment.description.byteCount
                progress(.init(files: 0, totalFiles: 0, checkedFiles: report.checkedFiles))
            }
        }
        withExtendedLifetime(state) {}
        return report
    }
}

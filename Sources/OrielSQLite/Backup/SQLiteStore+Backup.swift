public import OrielStore
import OrielThreads

extension SQLiteStore: StoreAdministration {
    public func backup(
        to target: String, progress: @escaping @Sendable (BackupProgress) -> Void = { _ in }
    ) async throws(StoreError) -> BackupReport {
        let core = try openCore
        guard target.hasPrefix("/") else { throw .unusable(path: target, reason: "a backup needs an absolute path") }
        var path = target
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let run = BackupRun(core: core, target: path, progress: progress)
        guard core.backups.begin() else { throw .unusable(path: path, reason: "a backup of this store is running") }
        defer { core.backups.end() }
        return try await OwnThread.result("oriel-backup", nice: 10, path: path) { try run.run() }
    }
}

extension OwnThread {
    /// Runs `body` on a thread of its own and waits without holding one of the cooperative pool.
    ///
    /// - Parameter path: what an error that is none of the store's is about.
    static func result<Value: Sendable>(
        _ name: String, nice: Int32 = 0, path: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws(StoreError) -> Value {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, any Error>, Never>) in
            do {
                _ = try OwnThread(name: name, nice: nice) { continuation.resume(returning: Result { try body() }) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        do {
            return try result.get()
        } catch let error as StoreError {
            throw error
        } catch {
            throw .unusable(path: path, reason: "\(error)")
        }
    }
}

import Logging
import OrielStore

/// Tells the log what a store's statistics report that somebody should look at, each thing once.
struct StoreWarnings {
    private var quarantinedFiles = 0
    private var damagedBlocks = 0
    private var maintenanceFailures = 0
    private var isReadOnly = false
    private var isRecoveryTold = false
    /// The failures of maintenance that were told.
    private var failures: Set<String> = []

    /// Beyond so many distinct failures no more are told; the metrics still count them.
    private static let failureLimit = 100

    /// Warns of what is new since the last call.
    mutating func update(_ statistics: StoreStatistics, logger: Logger) {
        if !isRecoveryTold {
            isRecoveryTold = true
            warn(statistics.recovery, logger)
        }
        if statistics.quarantinedFiles > quarantinedFiles || statistics.damagedBlocks > damagedBlocks {
            logger.warning(
                "damaged files in the store",
                metadata: [
                    "files": "\(statistics.quarantinedFiles)", "blocks": "\(statistics.damagedBlocks)", "last": "\(statistics.lastDamage ?? "")",
                ])
        }
        // Files that retention removes take their damage with them.
        quarantinedFiles = statistics.quarantinedFiles
        damagedBlocks = statistics.damagedBlocks
        if statistics.maintenanceFailures > maintenanceFailures, let failure = statistics.lastMaintenanceFailure, failures.count < Self.failureLimit,
            failures.insert(failure).inserted
        {
            logger.warning("maintenance of the store failed and is tried again", metadata: ["error": "\(failure)"])
        }
        maintenanceFailures = statistics.maintenanceFailures
        if statistics.isReadOnly, !isReadOnly {
            logger.error("the store takes no data until a restart")
        }
        isReadOnly = statistics.isReadOnly
    }

    private func warn(_ recovery: RecoveryReport, _ logger: Logger) {
        if recovery.isRebuilt {
            logger.warning("the list of the store's files was rebuilt from the files", metadata: ["reason": "\(recovery.reason ?? "")"])
        }
        for loss in recovery.losses {
            logger.warning("lost when the store was opened", metadata: ["what": "\(loss)"])
        }
        if !recovery.filesPutAside.isEmpty {
            logger.warning(
                "files were put aside in data/unknown", metadata: ["files": "\(recovery.filesPutAside.joined(separator: ", "))"])
        }
    }
}

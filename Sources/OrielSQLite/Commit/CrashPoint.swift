/// Moments at which a crash leaves the folder in a state of its own. Tests cut the power at each.
enum CrashPoint: String, CaseIterable, Sendable {
    /// LOCK names a start that hot.db does not know yet.
    case lockWritten = "lock.written"
    /// A new hot.db has its tables and is not complete.
    case hotCreated = "hot.created"
    /// A rebuilt hot.db is complete, the older pair still there.
    case hotCompleted = "hot.completed"
    /// Files are entered in the manifest and not made yet.
    case segmentWriting = "segment.writing"
    /// Flushed files have their final names, the manifest does not know.
    case flushRenamed = "flush.renamed"
    case flushCommitted = "flush.committed"
    /// Merged files have their final names, the manifest does not know.
    case mergeRenamed = "merge.renamed"
    case mergeCommitted = "merge.committed"
    /// A damaged file is kept aside under a second name, what is readable of it not written yet.
    case salvageKept = "salvage.kept"
    /// What is readable of a damaged file has its final name, the manifest does not know.
    case salvageRenamed = "salvage.renamed"
    case salvageCommitted = "salvage.committed"
    /// A dead file is unlinked, its row still there.
    case deadUnlinked = "dead.unlinked"
    /// A deletion is committed, its copy in app.db not written.
    case deleteCommitted = "delete.committed"
    /// A commit is on the disk, nobody was told.
    case commitDurable = "commit.durable"
    case checkpointDone = "checkpoint.done"
    /// Streams that are not in use were forgotten; the labels of the others are not in hot.db again yet.
    case registryExchanged = "registry.exchanged"
    /// The files of a pin have their final names, app.db does not know.
    case pinRenamed = "pin.renamed"
    /// A pin, or the end of one, is in app.db; queries do not know, and files that are needed no more are still there.
    case pinCommitted = "pin.committed"
    /// All files of a backup are copied, its manifest is not written yet.
    case backupCopied = "backup.copied"
    /// A backup is complete, the files of the earlier one still there.
    case backupComplete = "backup.complete"
}

/// What a test does when the store comes by a crash point.
struct CrashPoints: Sendable {
    var reach: @Sendable (CrashPoint) -> Void = { _ in }
}

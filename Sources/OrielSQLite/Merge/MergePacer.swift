import OrielStore
import OrielTelemetry
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Keeps a merge from holding up commits: what it writes goes to the disk in small portions, and before each it lets a waiting commit go first.
///
/// Without it the kernel collects hundreds of megabytes and writes them at once, and the next commit waits for all of them.
final class MergePacer: Sendable {
    private let commits: BoundedQueue<CommitWork>
    private let files: any FileLayer
    private let cancelled = Atomic<Bool>(false)

    /// Bytes after which what was written is put on the disk.
    static let portion = 8 << 20
    /// The longest that a portion waits for commits, in steps of a millisecond: under full load there is always one.
    private static let patience = 20

    init(_ commits: BoundedQueue<CommitWork>, files: any FileLayer) {
        self.commits = commits
        self.files = files
    }

    /// Makes the merge end with ``StoreError/cancelled`` at its next block.
    func cancel() { cancelled.store(true, ordering: .relaxed) }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// Throws when the merge is to end.
    func check() throws(StoreError) {
        if isCancelled { throw .cancelled }
    }

    /// Puts what was written of a file so far on the disk.
    func synchronize(_ path: String) throws(FileError) {
        var step = 0
        while commits.weight > 0, step < MergePacer.patience, !isCancelled {
            usleep(1000)
            step += 1
        }
        let file = try files.open(path, .readWrite)
        do throws(FileError) {
            try files.synchronize(file, all: false)
        } catch {
            files.closeAfterFailure(file)
            throw error
        }
        try files.close(file)
    }
}

import OrielStore
import OrielTelemetry

/// Writes the rows of some segments into new ones: a merge of sorted blocks that copies those whose slots nothing else holds as they are.
///
/// Rows come out in the order (slot, stream, time, ord). Of samples of one stream and time the one of the latest commit stays.
struct Merge {
    /// What became of a merge.
    struct Result: Sendable {
        /// The outputs as they are now, in the order of the task.
        var descriptions: [SegmentDescription]
        /// Blocks that were copied without decoding.
        var copiedBlocks = 0
        /// Samples that a later one of the same stream and time replaced by another value.
        var conflictCount = 0
        /// Rows that were dropped because they lie below the floor.
        var expiredRows = 0
    }

    /// Runs a task. Outputs are on the disk under their names when it returns; inputs are untouched.
    ///
    /// - Parameters:
    ///   - entered: the task's outputs as the manifest has them, in state `writing`.
    ///   - inputs: the task's inputs, in its order.
    ///   - floor: rows before it are left out.
    ///   - tombstones: deletions whose rows are left out.
    ///   - pacer: lets commits go first; without, the merge is as fast as it can be.
    static func run(
        _ task: MergeTask, entered: [SegmentDescription], inputs: [Segment], floor: Timestamp = Timestamp(nanoseconds: .min),
        families: [MetricFamily] = [], store: StoreIdentity, registry: StreamRegistry, fileSystem: SQLiteFileSystem, folder: String,
        memoryBytes: Int = 48 << 20, limits: BlockLimits? = nil, tombstones: [Tombstone] = [], pacer: MergePacer? = nil
    ) throws(StoreError) -> Result {
        precondition(entered.count == task.outputs.count && inputs.map(\.description.fileID) == task.inputs)
        var references: [[StreamReference]] = []
        var traceIDs: [[TraceID]] = []
        for input in inputs {
            references.append(try input.streamReferences())
            traceIDs.append(try input.allTraceIDs())
        }
        let union = ContainerUnion(references: references, traceIDs: traceIDs, registry: registry)
        var result = Result(descriptions: [])
        for (output, description) in zip(task.outputs, entered) {
            var run = try MergeRun(
                task.signal, output, description, inputs: inputs, union: union, floor: floor, store: store, registry: registry,
                fileSystem: fileSystem, folder: folder, memoryBytes: memoryBytes, limits: limits ?? BlockLimits(signal: task.signal),
                deletions: DeletionFilter(tombstones, signal: task.signal, registry: registry), pacer: pacer)
            do {
                try run.writeBlocks()
            } catch {
                run.abandon()
                throw error
            }
            result.copiedBlocks += run.copiedBlocks
            result.conflictCount += run.conflictCount
            result.expiredRows += run.expiredRows
            result.descriptions.append(try run.finish(families: families))
        }
        return result
    }
}

import OrielStore
import OrielTelemetry

/// Where the pages of one block come from: memory or a file.
protocol BlockStorage {
    /// Replaces `buffer` by bytes `range` of the data of the directory's column `column`.
    func read(column: Int, _ range: Range<Int>, into buffer: inout [UInt8]) throws(StoreError)

    /// A filter over the directory's column `column`, or `nil` when it has none of this kind.
    func filter(_ kind: BlockFilter.Kind, column: Int) throws(StoreError) -> BlockFilter?

    /// The ids that some local trace numbers stand for.
    ///
    /// - Parameter locals: ascending, unique, below the directory's `traceCount`.
    func traceIDs(_ locals: [Int]) throws(StoreError) -> [TraceID]

    /// The error that damage at this place is reported as.
    func damage(_ error: ColumnError, column: Int) -> StoreError
}

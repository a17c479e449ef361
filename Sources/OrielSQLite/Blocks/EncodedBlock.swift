import OrielTelemetry

/// A block as it is written, in memory. Immutable.
struct EncodedBlock: Sendable {
    var directory: BlockDirectory
    /// The data of each column of the directory; empty where that lies in the directory itself.
    var data: [[UInt8]]
    /// The filters' data of each column of the directory; empty where there are none or these lie in the directory itself.
    var filters: [[UInt8]]
    /// The trace ids of the rows, sorted and unique: what the block's local numbers stand for.
    var traceIDs: [TraceID]
    /// In the signal's unit, inclusive.
    var minimumTime: Int64
    var maximumTime: Int64

    /// The data of a part of a column that does not lie in the directory.
    subscript(part: ColumnPart, column: Int) -> [UInt8] {
        switch part {
        case .pages: data[column]
        case .filters: filters[column]
        }
    }

    /// Bytes in memory, roughly.
    var byteCount: Int {
        data.reduce(traceIDs.count * 16 + directory.runs.count * 40 + directory.columns.count * 160) { $0 + $1.count }
            + filters.reduce(0) { $0 + $1.count }
    }
}

/// What is stored of a column beside its entry in the directory.
enum ColumnPart {
    case pages
    case filters
}

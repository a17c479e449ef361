import OrielStore
import OrielTelemetry

/// Which of the files that were found make up the store, when the manifest is lost.
///
/// A file is dead when each of its pieces lies within a piece of the same signal and day of a file with a higher id. Of a merge that was not committed some
/// outputs may be there and others not: as long as all its inputs are intact and the files above do not cover them, its outputs are dropped and the inputs live.
enum SegmentSelection {
    struct Result {
        var live: [SegmentDescription]
        var dead: [SegmentDescription]
    }

    static func select(_ files: [SegmentDescription]) -> Result {
        let byID = Dictionary(files.map { ($0.fileID, $0) }, uniquingKeysWith: { first, _ in first })
        var dropped: Set<UInt64> = []
        var changed = true
        while changed {
            changed = false
            for file in files.sorted(by: { $0.fileID < $1.fileID }) where !file.inputs.isEmpty && !dropped.contains(file.fileID) {
                let inputs = file.inputs.compactMap { byID[$0] }
                guard inputs.count == file.inputs.count, inputs.allSatisfy({ !dropped.contains($0.fileID) }) else { continue }
                if !inputs.allSatisfy({ isCovered($0, by: files, without: dropped) }) {
                    dropped.insert(file.fileID)
                    changed = true
                }
            }
        }
        var result = Result(live: [], dead: [])
        for file in files {
            if dropped.contains(file.fileID) || isCovered(file, by: files, without: dropped) {
                result.dead.append(file)
            } else {
                result.live.append(file)
            }
        }
        return result
    }

    /// Whether all pieces of a file lie within pieces of later files.
    private static func isCovered(_ file: SegmentDescription, by files: [SegmentDescription], without dropped: Set<UInt64>) -> Bool {
        guard !file.pieces.isEmpty else { return false }
        return file.pieces.allSatisfy { piece in
            files.contains { other in
                other.signal == file.signal && other.fileID > file.fileID && !dropped.contains(other.fileID)
                    && other.pieces.contains { $0.contains(piece) }
            }
        }
    }
}

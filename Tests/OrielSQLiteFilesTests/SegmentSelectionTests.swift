import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

struct SegmentSelectionTests {
    private func file(_ id: UInt64, _ pieces: [(day: Int32, low: UInt64, high: UInt64)], inputs: [UInt64] = [], level: Int = 0) -> SegmentDescription {
        SegmentDescription(
            fileID: id, signal: .logs, level: level,
            pieces: pieces.map { Piece(day: Day(number: $0.day), low: CommitSequence(rawValue: $0.low), high: CommitSequence(rawValue: $0.high)) },
            inputs: inputs, rowCount: 1, minimumTime: 0, maximumTime: 0, byteCount: 1)
    }

    private func live(_ files: [SegmentDescription]) -> [UInt64] {
        SegmentSelection.select(files).live.map(\.fileID).sorted()
    }

    private var inputs: [SegmentDescription] {
        [file(1, [(1, 1, 10), (2, 1, 10)]), file(2, [(1, 11, 20)])]
    }

    @Test func withoutMergesAllLive() {
        #expect(live(inputs) == [1, 2])
    }

    @Test func aWholeMergeReplacesItsInputs() {
        let outputs = [file(3, [(1, 1, 20)], inputs: [1, 2], level: 1), file(4, [(2, 1, 10)], inputs: [1, 2])]
        #expect(live(inputs + outputs) == [3, 4])
        #expect(live([inputs[0]] + outputs) == [3, 4])
        #expect(live(outputs) == [3, 4])
    }

    @Test func ofAMergeCutOffTheInputsLive() {
        let output = file(3, [(1, 1, 20)], inputs: [1, 2], level: 1)
        #expect(live(inputs + [output]) == [1, 2])
    }

    @Test func aLaterMergeCoversWhatItsInputsCovered() {
        // 3 and 4 came of 1 and 2; 3 was merged on into 6 and is gone, while 1 is still being read by somebody.
        let files = [
            inputs[0], file(4, [(2, 1, 10)], inputs: [1, 2]), file(5, [(1, 21, 30)]), file(6, [(1, 1, 30)], inputs: [3, 5], level: 2),
        ]
        #expect(live(files) == [4, 6])
    }

    @Test func otherSignalsDoNotCount() {
        var other = file(9, [(1, 1, 20), (2, 1, 20)])
        other.signal = .spans
        #expect(live(inputs + [other]) == [1, 2, 9])
    }
}

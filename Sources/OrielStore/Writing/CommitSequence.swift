/// The number of a group commit: the store's start number in the high half, the commit within that start in the low half. Grows for ever.
public struct CommitSequence: Hashable, Comparable, Sendable {
    public var rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public init(start: UInt32, commit: UInt32) {
        rawValue = UInt64(start) << 32 | UInt64(commit)
    }

    /// Before every commit.
    public static let zero = CommitSequence(rawValue: 0)

    public var start: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    public var commit: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

    @inlinable
    public static func < (left: CommitSequence, right: CommitSequence) -> Bool { left.rawValue < right.rawValue }
}

extension CommitSequence: CustomStringConvertible {
    /// Start and commit, as in `3:17`.
    public var description: String { "\(start):\(commit)" }
}

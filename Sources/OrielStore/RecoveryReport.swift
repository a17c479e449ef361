/// What the opening of a store found lost or put aside. All is empty when the store was as it should be, also after a crash.
public struct RecoveryReport: Sendable, Hashable {
    /// Whether the list of files was lost and made anew from the files themselves.
    public var isRebuilt = false
    /// Why it was, in words.
    public var reason: String?
    /// What cannot come back, or may not, in words with counts where they are known; bounded in number.
    public var losses: [String] = []
    /// Names of files that were moved to the store's folder for unknown files by this opening, and of copies of damaged ones; sorted, bounded in number.
    public var filesPutAside: [String] = []

    public init() {}

    /// Whether there is nothing to tell.
    public var isEmpty: Bool { !isRebuilt && losses.isEmpty && filesPutAside.isEmpty }
}

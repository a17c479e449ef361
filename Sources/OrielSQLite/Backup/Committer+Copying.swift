import OrielStore

extension Committer {
    /// Bytes to which the log may grow while hot.db is copied; then the copy is given up.
    static let copyLogBytes = 256 << 20

    /// Brings everything into the database file, which stays as it is until ``endCopy()`` as long as the log is short enough.
    ///
    /// - Returns: what `endCopy` returns when the file did not change meanwhile.
    func beginCopy() throws(StoreError) -> Int {
        guard write("checkpoint", { try checkpoint() }) else {
            throw .readOnly(reason: failure ?? "the checkpoint failed")
        }
        holdsCheckpoints = true
        return checkpointCount
    }

    func endCopy() -> Int {
        holdsCheckpoints = false
        return checkpointCount
    }
}

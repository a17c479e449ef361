/// Where tokens outlive the process.
public protocol TokenStore: Sendable {
    /// All tokens, oldest first.
    func tokens() async throws(StoreError) -> [TokenRecord]

    /// Keeps a token; it is durable when this returns.
    ///
    /// - Throws: ``StoreError/unusable(path:reason:)`` when the id, the name or the digest is taken, or when it cannot be written.
    func insertToken(_ record: TokenRecord) async throws(StoreError)

    /// Forgets a token, durably.
    ///
    /// - Returns: whether there was one.
    func removeToken(id: String) async throws(StoreError) -> Bool
}

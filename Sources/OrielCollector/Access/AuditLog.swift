import Logging

/// Writes one line to the daemon's log for each change that somebody makes: tokens, deletes, pins, backups. Call it from every admin route, also when the change failed.
struct AuditLog: Sendable {
    private let logger: Logger

    init(_ logger: Logger) {
        var logger = logger
        // Whatever level the log is set to.
        logger.logLevel = .notice
        self.logger = logger
    }

    /// - Parameters:
    ///   - action: what was asked for, as `token.create`.
    ///   - access: who asked.
    ///   - peer: from where.
    ///   - error: why it was not done; `nil` when it was.
    ///   - details: what it was done to. No secrets.
    func audit(_ action: String, by access: Access, peer: String?, error: String? = nil, _ details: Logger.Metadata = [:]) {
        var metadata = details
        metadata["action"] = "\(action)"
        metadata["by"] = "\(access)"
        metadata["outcome"] = error == nil ? "done" : "failed"
        if let peer { metadata["peer"] = "\(peer)" }
        if let error { metadata["reason"] = "\(error)" }
        logger.notice("audit", metadata: metadata)
    }
}

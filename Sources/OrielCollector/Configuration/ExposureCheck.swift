/// The daemon refuses to be reachable by strangers unless it is told that this is meant.
enum ExposureCheck {
    /// Throws if a listener accepts from beyond this machine without tokens, client certificates or `--allow-anonymous`.
    static func check(_ configuration: CollectorConfiguration, hasTokens: Bool) throws(ListenError) {
        if configuration.allowsAnonymous || hasTokens { return }
        for listener in configuration.listeners where listener.tls?.clientAuthorities == nil {
            try check(listener.address, named: listener.address)
        }
    }

    /// The same for listeners that are open already: a socket that was handed over tells its address only then.
    static func check(_ bound: [BoundListener], _ configuration: CollectorConfiguration, hasTokens: Bool) throws(ListenError) {
        if configuration.allowsAnonymous || hasTokens { return }
        for listener in bound where !listener.asksForCertificate { try check(listener.address, named: listener.requested) }
    }

    private static func check(_ address: ListenerAddress, named name: ListenerAddress) throws(ListenError) {
        guard case .tcp(let host, let port) = address, !address.isLocal else { return }
        let loopback = ListenerAddress.tcp(host: host.contains(":") ? "::1" : "127.0.0.1", port: port)
        throw ListenError(
            address: name,
            problem: """
                anybody who reaches it could read and write everything, and there are no tokens
                  either listen on this machine only:  --listen \(loopback)
                  or ask for tokens:                   --tokens-file FILE  (ORIEL_TOKENS_FILE), or `oriel token create` while it listens on this machine only
                  or say that this is meant:           --allow-anonymous  (ORIEL_ALLOW_ANONYMOUS=true)
                """)
    }
}

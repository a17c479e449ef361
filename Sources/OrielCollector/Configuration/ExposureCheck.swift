/// The daemon refuses to be reachable by strangers unless it is told that this is meant.
enum ExposureCheck {
    /// Throws if a listener accepts from beyond this machine without `--allow-anonymous`.
    static func check(_ configuration: CollectorConfiguration) throws(ListenError) {
        if configuration.allowsAnonymous { return }
        for listener in configuration.listeners {
            guard case .tcp(let host, let port) = listener.address, !listener.address.isLocal else { continue }
            let loopback = ListenerAddress.tcp(host: host.contains(":") ? "::1" : "127.0.0.1", port: port)
            throw ListenError(
                address: listener.address,
                problem: """
                    anybody who reaches it could read and write everything, and there are no tokens
                      either listen on this machine only:  --listen \(loopback)
                      or say that this is meant:           --allow-anonymous  (ORIEL_ALLOW_ANONYMOUS=true)
                    """)
        }
    }
}

import Glibc

/// What a service manager of systemd's kind tells a daemon and wants to hear (sd_notify(3), sd_listen_fds(3)).
struct ServiceManager: Sendable {
    private let notifySocket: String?
    /// Listening sockets that were opened for us, as file descriptors from 3 up.
    let listeningDescriptors: [Int32]
    /// How often the manager wants a sign of life, at least.
    let watchdogInterval: Duration?

    init(environment: [String: String]) {
        notifySocket = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        let isForUs = { (name: String) in environment[name].flatMap { Int32($0) }.map { $0 == getpid() } }
        let count = environment["LISTEN_FDS"].flatMap { Int32($0) } ?? 0
        listeningDescriptors = (isForUs("LISTEN_PID") ?? false) && (1...64).contains(count) ? (3..<(3 + count)).map { $0 } : []
        if isForUs("WATCHDOG_PID") ?? true, let microseconds = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), microseconds > 0 {
            watchdogInterval = .microseconds(microseconds)
        } else {
            watchdogInterval = nil
        }
    }

    /// Sends a state such as `READY=1`. Without a manager nothing happens; a manager that does not listen is no reason to fail.
    func notify(_ state: String) {
        guard let notifySocket else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(notifySocket.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.count < capacity, path[0] == UInt8(ascii: "/") || path[0] == UInt8(ascii: "@") else { return }
        // A leading @ names an abstract socket, whose address starts with a zero byte.
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(state.utf8)
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                unsafe bytes.withUnsafeBytes { content in
                    unsafe sendto(descriptor, content.baseAddress, content.count, Int32(MSG_NOSIGNAL), target, length)
                }
            }
        }
    }
}

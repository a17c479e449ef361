import Foundation
import Testing

@testable import OrielCollector
@testable import OrielCommand

/// What passes between the daemon and a service manager of systemd's kind.
@Suite(.serialized) final class ServiceManagerTests {
    private let place: ProgramHome
    private var home: URL { place.url }

    init() throws { place = try ProgramHome("manager") }

    @Test func theDaemonReportsAndUsesTheSocketThatItIsGiven() throws {
        let path = home.appendingPathComponent("notify").path
        let notifications = try NotificationSocket(path)
        let (listener, port) = try Self.listen()
        defer { close(listener) }
        let interval = 4.0
        let process = try spawn(
            ["serve", "--data", home.appendingPathComponent("data").path, "--listen", "tcp://127.0.0.1:1"], listener: listener,
            environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": String(Int(interval * 1e6))])
        var status: Int32 = 0
        var hasEnded = false
        defer {
            if !hasEnded {
                kill(process, SIGKILL)
                unsafe waitpid(process, &status, 0)
            }
        }
        #expect(try notifications.next() == "READY=1")
        // The manager would end a daemon that is silent for a whole interval.
        var last = ContinuousClock.now
        for _ in 0..<2 {
            #expect(try notifications.next() == "WATCHDOG=1")
            let now = ContinuousClock.now
            #expect(now - last < .seconds(interval))
            last = now
        }
        var connection = try BlockingHTTPConnection(LoadEndpoint(host: "127.0.0.1", port: port))
        #expect(try connection.send(method: "GET", path: "/-/ready").status == 200)
        kill(process, SIGTERM)
        var message = try notifications.next()
        while message == "WATCHDOG=1" { message = try notifications.next() }
        #expect(message == "STOPPING=1")
        unsafe waitpid(process, &status, 0)
        hasEnded = true
        #expect(status == 0)
    }

    @Test func whatIsMeantForOthersIsLeftAlone() {
        let own = String(getpid())
        func descriptors(_ count: String, for process: String?) -> [Int32] {
            var environment = ["LISTEN_FDS": count]
            environment["LISTEN_PID"] = process
            return ServiceManager(environment: environment).listeningDescriptors
        }
        #expect(descriptors("2", for: own) == [3, 4])
        #expect(descriptors("2", for: "1") == [])
        #expect(descriptors("2", for: nil) == [])
        for count in ["0", "-1", "65", "2147483647", "99999999999", "x", ""] { #expect(descriptors(count, for: own) == []) }

        func interval(_ microseconds: String, for process: String?) -> Duration? {
            var environment = ["WATCHDOG_USEC": microseconds]
            environment["WATCHDOG_PID"] = process
            return ServiceManager(environment: environment).watchdogInterval
        }
        #expect(interval("3000000", for: nil) == .seconds(3))
        #expect(interval("3000000", for: own) == .seconds(3))
        #expect(interval("3000000", for: "1") == nil)
        for text in ["0", "-5", "x", ""] { #expect(interval(text, for: nil) == nil) }
    }

    @Test func abstractNamesAreReachedAndBadOnesDoNoHarm() throws {
        let name = "@oriel-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let socket = try NotificationSocket(name)
        ServiceManager(environment: ["NOTIFY_SOCKET": name]).notify("READY=1")
        #expect(try socket.next() == "READY=1")
        for bad in ["", "relative", "/" + String(repeating: "x", count: 200), home.path + "/nobody"] {
            ServiceManager(environment: ["NOTIFY_SOCKET": bad]).notify("READY=1")
        }
        ServiceManager(environment: [:]).notify("READY=1")
    }

    /// A socket on a free port of this machine.
    private static func listen() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && Glibc.listen(descriptor, 16) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isBound)
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// Starts the program as a service manager does: with the listener as descriptor 3 and the process' own number in `LISTEN_PID`.
    private func spawn(_ arguments: [String], listener: Int32, environment: [String: String]) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, listener, 3)
        for descriptor: Int32 in [1, 2] {
            unsafe posix_spawn_file_actions_addopen(
                &actions, descriptor, home.appendingPathComponent("log").path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        let program = try BuiltProgram.url().path
        let shell = ["/bin/sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"", program] + arguments
        let all = environment.merging(["HOME": home.path, "PATH": "/usr/bin:/bin"]) { given, _ in given }
        var process: pid_t = 0
        let code = unsafe Self.withStrings(shell) { arguments in
            unsafe Self.withStrings(all.map { "\($0.key)=\($0.value)" }) { environment in
                unsafe posix_spawn(&process, "/bin/sh", &actions, nil, arguments, environment)
            }
        }
        try #require(code == 0)
        return process
    }

    /// The strings as C wants them, for the time of the call.
    private static func withStrings<Result>(_ texts: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
        var strings: [UnsafeMutablePointer<CChar>?] = unsafe texts.map { unsafe strdup($0) }
        unsafe strings.append(nil)
        defer { unsafe strings.forEach { unsafe free($0) } }
        return unsafe strings.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
    }
}

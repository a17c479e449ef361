import FoundationEssentials
import Glibc

/// An `oriel serve` of its own for one measurement: the same binary, a free port, and a temporary data folder unless another is named.
struct ChildServer: ~Copyable {
    let process: Int32
    let endpoint: LoadEndpoint
    /// The data folder.
    let data: String
    /// From the start of the process until it said that it is ready, in seconds.
    private(set) var startSeconds = 0.0
    private let folder: String
    /// What the server wrote on its standard error.
    let log: String

    private let interruption: Interruption
    private var hasEnded = false

    /// Starts the server and waits until it is ready.
    ///
    /// - Parameters:
    ///   - parent: The folder that the temporary folder is made in.
    ///   - data: A data folder that stays; without it one in the temporary folder is used.
    /// - Throws: ``LoadError`` when it does not start within five minutes, with its last log lines.
    static func start(parent: String?, data: String?) throws(LoadError) -> ChildServer {
        let folder = try makeFolder(parent: parent ?? FileManager.default.temporaryDirectory.path)
        var server: ChildServer
        let start = ContinuousClock.now
        do throws(LoadError) {
            server = try ChildServer(folder: folder, data: data ?? folder + "/data")
        } catch {
            removeFolder(folder)
            throw error
        }
        try server.waitUntilReady()
        server.startSeconds = (ContinuousClock.now - start) / .seconds(1)
        return server
    }

    private init(folder: String, data: String) throws(LoadError) {
        let log = folder + "/serve.log"
        let endpoint = LoadEndpoint(host: "127.0.0.1", port: try Self.freePort())
        let process = try Self.spawn(["serve", "--data", data, "--listen", "tcp://127.0.0.1:\(endpoint.port)"], log: log)
        self.folder = folder
        self.data = data
        self.log = log
        self.endpoint = endpoint
        self.process = process
        interruption = Interruption {
            Self.stop(process)
            Self.removeFolder(folder)
            exit(130)
        }
    }

    deinit {
        interruption.cancel()
        if !hasEnded { Self.stop(process) }
        Self.removeFolder(folder)
    }

    /// Asks the server to end, which writes everything to segment files, and waits.
    ///
    /// - Returns: The CPU time of its whole life, in seconds.
    /// - Throws: ``LoadError`` when it does not end within five minutes, or not cleanly.
    mutating func end() throws(LoadError) -> Double {
        kill(process, SIGTERM)
        let deadline = ContinuousClock.now + .seconds(300)
        while ContinuousClock.now < deadline {
            var status: Int32 = 0
            var usage = rusage()
            if unsafe wait4(process, &status, WNOHANG, &usage) == process {
                hasEnded = true
                guard status == 0 else { throw LoadError("oriel serve ended with status \(status): \(lastLogLines())") }
                return ProcessUsage.seconds(of: usage)
            }
            usleep(5_000)
        }
        throw LoadError("oriel serve did not end within 300 s: \(lastLogLines())")
    }

    private func waitUntilReady() throws(LoadError) {
        let deadline = ContinuousClock.now + .seconds(300)
        while ContinuousClock.now < deadline {
            var status: Int32 = 0
            if unsafe waitpid(process, &status, WNOHANG) == process {
                throw LoadError("oriel serve ended at once: \(lastLogLines())")
            }
            do throws(LoadError) {
                var connection = try BlockingHTTPConnection(endpoint)
                if try connection.send(method: "GET", path: "/-/ready").status == 200 { return }
            } catch {
                // Refused connections are expected until the server listens; the deadline ends the wait.
            }
            usleep(1_000)
        }
        throw LoadError("oriel serve was not ready within 300 s: \(lastLogLines())")
    }

    private func lastLogLines() -> String {
        SystemFile.text(log).split(separator: "\n").suffix(5).joined(separator: "\n")
    }

    private static func stop(_ process: Int32) {
        kill(process, SIGTERM)
        var status: Int32 = 0
        for _ in 0..<2000 {
            if unsafe waitpid(process, &status, WNOHANG) != 0 { return }
            usleep(5_000)
        }
        kill(process, SIGKILL)
        unsafe waitpid(process, &status, 0)
    }

    private static func removeFolder(_ folder: String) {
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            StandardError.write("the temporary folder \(folder) could not be removed: \(error)\n")
        }
    }

    private static func makeFolder(parent: String) throws(LoadError) -> String {
        var template = Array("\(parent)/oriel-bench-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) != nil }
        guard made else { throw LoadError("no temporary folder can be made in \(parent): \(errorText(errno))") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A port that was free a moment ago.
    private static func freePort() throws(LoadError) -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw LoadError("no socket: \(errorText(errno))") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw LoadError("no free port: \(errorText(errno))") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func spawn(_ arguments: [String], log: String) throws(LoadError) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in [1, 2] {
            unsafe posix_spawn_file_actions_addopen(&actions, descriptor, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        var strings: [UnsafeMutablePointer<CChar>?] = unsafe (["oriel"] + arguments).map { unsafe strdup($0) }
        unsafe strings.append(nil)
        defer { while let string = unsafe strings.popLast() { unsafe free(string) } }
        var process: pid_t = 0
        let code = unsafe posix_spawn(&process, SystemFile.executable, &actions, nil, strings, environ)
        guard code == 0 else { throw LoadError("oriel serve cannot be started: \(errorText(code))") }
        return process
    }
}

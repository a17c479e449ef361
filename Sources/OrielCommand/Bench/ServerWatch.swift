import Dispatch
import Glibc
import Synchronization

/// Watches a server process on the same machine: memory while it works, and when it has come to rest.
final class ServerWatch: Sendable {
    private let process: Int32
    private let data: String
    private let peak = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)
    private let group = DispatchGroup()

    /// Starts to sample the memory, twenty times a second.
    init(process: Int32, data: String) {
        self.process = process
        self.data = data
        DispatchQueue(label: "memory").async(group: group) { [self] in
            while !isStopped.load(ordering: .relaxed) {
                let bytes = ProcessUsage.anonymousBytes(process)
                if bytes > peak.load(ordering: .relaxed) { peak.store(bytes, ordering: .relaxed) }
                Sleep.seconds(0.05)
            }
        }
    }

    /// Ends the sampling.
    func stop() {
        isStopped.store(true, ordering: .relaxed)
        group.wait()
    }

    /// The highest anonymous resident memory that was seen, in bytes.
    var peakAnonymousBytes: Int { peak.load(ordering: .relaxed) }

    /// Waits until the server uses no more than a hundredth of a core and writes nothing any more, for two seconds on end.
    ///
    /// - Returns: Whether it came to rest within the time.
    func waitUntilQuiescent(limit seconds: Double) -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var calm = 0
        var cpu = ProcessUsage.cpuSeconds(process)
        var files = DiskUsage.files(in: data)
        while ContinuousClock.now < deadline {
            Sleep.seconds(0.5)
            let nextCPU = ProcessUsage.cpuSeconds(process)
            let nextFiles = DiskUsage.files(in: data)
            calm = nextCPU - cpu <= 0.011 && nextFiles == files ? calm + 1 : 0
            if calm == 4 { return true }
            cpu = nextCPU
            files = nextFiles
        }
        return false
    }
}

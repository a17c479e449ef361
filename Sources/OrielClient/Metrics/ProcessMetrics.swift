#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The metrics of the running process under the names that Prometheus' client libraries share: CPU time, memory, open files, threads,
/// start time.
///
/// Read from Linux' `/proc/self`; elsewhere, and where a value cannot be read, it is left out. Costs some 30 µs.
public enum ProcessMetrics {
    /// A collector for ``MetricRegistry/addCollector(_:)``.
    public static func collect(_ collector: inout MetricCollector) {
        #if os(Linux)
        if let seconds = cpuSeconds {
            collector.counter(
                "process_cpu_seconds", help: "Total user and system CPU time spent in seconds.", unit: "seconds", value: seconds)
        }
        if let stat = ProcessStat() {
            collector.gauge(
                "process_resident_memory_bytes", help: "Resident memory size in bytes.", unit: "bytes",
                value: Double(stat.residentPages) * Double(sysconf(Int32(_SC_PAGESIZE))))
            collector.gauge(
                "process_virtual_memory_bytes", help: "Virtual memory size in bytes.", unit: "bytes", value: Double(stat.virtualBytes))
            collector.gauge("process_threads", help: "Number of threads of the process.", value: Double(stat.threads))
            if let start = startSeconds {
                collector.gauge(
                    "process_start_time_seconds", help: "Start time of the process since unix epoch in seconds.", unit: "seconds",
                    value: start)
            }
        }
        if let count = openFiles {
            collector.gauge("process_open_fds", help: "Number of open file descriptors.", value: Double(count))
        }
        var limit = rlimit()
        // The pointer is valid for the call.
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            collector.gauge(
                "process_max_fds", help: "Maximum number of open file descriptors.",
                value: limit.rlim_cur == UInt.max ? .infinity : Double(limit.rlim_cur))
        }
        #endif
    }

    #if os(Linux)
    private static var cpuSeconds: Double? {
        seconds(CLOCK_PROCESS_CPUTIME_ID)
    }

    private static func seconds(_ clock: clockid_t) -> Double? {
        var time = timespec()
        // The pointer is valid for the call.
        guard unsafe clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// When this process started, fixed at the first call: the clocks that it is computed from drift apart, and a start time must not move.
    private static let startSeconds: Double? = {
        let ticksPerSecond = sysconf(Int32(_SC_CLK_TCK))
        guard ticksPerSecond > 0, let stat = ProcessStat(),
            let now = seconds(CLOCK_REALTIME), let sinceBoot = seconds(CLOCK_BOOTTIME)
        else { return nil }
        let start = now - sinceBoot + Double(stat.startTicks) / Double(ticksPerSecond)
        // The kernel counts in ticks, so more digits would be made up.
        return (start * 100).rounded() / 100
    }()

    private static var openFiles: Int? {
        guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(folder) }
        var count = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // Not "." and "..", and not the descriptor that reads the folder.
        return max(count - 3, 0)
    }
    #endif
}

#if os(Linux)
/// What `/proc/self/stat` tells, proc(5).
struct ProcessStat {
    var threads: UInt64
    var startTicks: UInt64
    var virtualBytes: UInt64
    var residentPages: UInt64

    init?() {
        let descriptor = unsafe open("/proc/self/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 2048)
        // Reads at most what the array holds.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        self.init(line: bytes[..<count])
    }

    init?(line: ArraySlice<UInt8>) {
        // The second field is the command's name in parentheses, which may hold blanks and parentheses itself.
        guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = line[(end + 1)...].split(separator: UInt8(ascii: " "))
        // Counted from 1, the first field after the name is the third.
        func field(_ number: Int) -> UInt64? {
            guard fields.indices.contains(number - 3) else { return nil }
            return UInt64(String(decoding: fields[number - 3], as: UTF8.self))
        }
        guard let threads = field(20), let start = field(22), let size = field(23), let resident = field(24) else { return nil }
        self.threads = threads
        startTicks = start
        virtualBytes = size
        residentPages = resident
    }
}
#endif

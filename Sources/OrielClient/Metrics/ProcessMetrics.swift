#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The metrics of the running process under the names that Prometheus' client libraries share (CPU time, memory, open files, threads,
/// start time), under those of OpenTelemetry's conventions (page faults, context switches, bytes from and to disks), and what runs it.
///
/// Read from Linux' `/proc/self`; elsewhere, and where a value cannot be read, it is left out. Costs some 60 µs, of which each open file takes a part.
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
        collectUsage(&collector)
        if let io = ProcessIO() {
            for (direction, bytes) in [("read", io.readBytes), ("write", io.writtenBytes)] {
                collector.counter(
                    "process_disk_io", labels: ["disk_io_direction": direction], help: "Bytes that the process caused to be read from and written to disks.",
                    unit: "bytes", value: Double(bytes))
            }
        }
        #endif
        SwiftRuntimeMetrics.collect(&collector)
    }

    #if os(Linux)
    private static func collectUsage(_ collector: inout MetricCollector) {
        var usage = rusage()
        // The pointer is valid for the call.
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return }
        for (kind, count) in [("voluntary", usage.ru_nvcsw), ("involuntary", usage.ru_nivcsw)] {
            collector.counter(
                "process_context_switches", labels: ["process_context_switch_type": kind],
                help: "How often threads of the process gave up or lost a processor.", value: Double(count))
        }
        for (kind, count) in [("major", usage.ru_majflt), ("minor", usage.ru_minflt)] {
            collector.counter(
                "process_paging_faults", labels: ["system_paging_fault_type": kind],
                help: "Page faults of the process; major ones had to wait for a disk.", value: Double(count))
        }
    }

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
        guard let bytes = ProcessFile.read("/proc/self/stat") else { return nil }
        self.init(line: bytes)
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

/// What `/proc/self/io` tells, proc(5). Not every container may read it.
struct ProcessIO {
    var readBytes: UInt64
    var writtenBytes: UInt64

    init?() {
        guard let bytes = ProcessFile.read("/proc/self/io") else { return nil }
        self.init(text: bytes)
    }

    init?(text: ArraySlice<UInt8>) {
        var read: UInt64?
        var written: UInt64?
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let parts = String(decoding: line, as: UTF8.self).split(separator: ": ")
            guard parts.count == 2 else { continue }
            if parts[0] == "read_bytes" { read = UInt64(parts[1]) }
            if parts[0] == "write_bytes" { written = UInt64(parts[1]) }
        }
        guard let read, let written else { return nil }
        readBytes = read
        writtenBytes = written
    }
}

/// Small files that the kernel makes as they are read.
enum ProcessFile {
    /// The first 2,047 bytes; `nil` when it cannot be read.
    static func read(_ path: String) -> ArraySlice<UInt8>? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 2048)
        // Reads less than what the array holds.
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count - 1, 0) }
        return count > 0 ? bytes[..<count] : nil
    }
}
#endif

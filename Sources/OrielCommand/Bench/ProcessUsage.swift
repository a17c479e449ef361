import Glibc

/// What a process has used, from `/proc`.
struct ProcessUsage: Sendable {
    /// User and system time of all its threads, in seconds, with the kernel's resolution of 10 ms.
    static func cpuSeconds(_ process: Int32) -> Double {
        let stat = SystemFile.text("/proc/\(process)/stat")
        // The second field is the name in parentheses and may hold spaces.
        guard let end = stat.lastIndex(of: ")") else { return 0 }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
    }

    /// Resident memory that belongs to no file, in bytes.
    static func anonymousBytes(_ process: Int32) -> Int {
        statusField("RssAnon:", process) * 1024
    }

    /// The highest resident memory so far, mapped files included, in bytes.
    static func peakResidentBytes(_ process: Int32) -> Int {
        statusField("VmHWM:", process) * 1024
    }

    /// User and system time of this process, in seconds.
    static var ownCPUSeconds: Double {
        var usage = rusage()
        // Cannot fail: the argument is valid.
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return seconds(of: usage)
    }

    /// User and system time of a resource usage, in seconds.
    static func seconds(of usage: rusage) -> Double {
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func statusField(_ name: String, _ process: Int32) -> Int {
        for line in SystemFile.text("/proc/\(process)/status").split(separator: "\n") where line.hasPrefix(name) {
            return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0
        }
        return 0
    }
}

/// The space that files take.
enum DiskUsage {
    /// The bytes that a data folder's files occupy on the disk, by file name relative to the folder; the ballast, which holds no rows, is left out.
    static func files(in folder: String) -> [String: Int] {
        var found: [String: Int] = [:]
        var folders = [""]
        while let relative = folders.popLast() {
            guard let stream = unsafe opendir(folder + "/" + relative) else { continue }
            defer { unsafe closedir(stream) }
            while let entry = unsafe readdir(stream) {
                let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                    unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                }
                if name == "." || name == ".." || (relative.isEmpty && name == "ballast") { continue }
                let path = relative.isEmpty ? name : relative + "/" + name
                var info = stat()
                guard unsafe lstat(folder + "/" + path, &info) == 0 else { continue }
                if info.st_mode & S_IFMT == S_IFDIR {
                    folders.append(path)
                } else if info.st_mode & S_IFMT == S_IFREG {
                    found[path] = Int(info.st_blocks) * 512
                }
            }
        }
        return found
    }
}

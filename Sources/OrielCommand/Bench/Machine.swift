import Glibc

/// What a measurement ran on, for who reads it later.
struct Machine: Sendable {
    let processor: String
    let cores: Int
    let memoryBytes: Int
    let system: String

    static var current: Machine {
        let processor = SystemFile.text("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
            .flatMap { $0.split(separator: ":", maxSplits: 1).last }
            .map { String($0.drop { $0 == " " }) }
        let release = SystemFile.text("/proc/sys/kernel/osrelease").prefix { $0 != "\n" }
        return Machine(
            processor: processor ?? "unknown processor", cores: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
            memoryBytes: sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)), system: "Linux \(release)")
    }

    /// How the program was compiled.
    static var buildConfiguration: String {
        #if DEBUG
        "debug"
        #else
        "release"
        #endif
    }
}

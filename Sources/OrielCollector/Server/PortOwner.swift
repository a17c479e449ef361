import FoundationEssentials

/// Finds the process that listens on a TCP port, as far as /proc lets us look.
enum PortOwner {
    /// "name (pid 123)", or nil if the owner cannot be seen.
    static func describe(port: Int) -> String? {
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let text = text(of: table), let inode = listeningInode(port: port, table: text) else { continue }
            if let owner = process(holding: inode) { return owner }
        }
        return nil
    }

    /// The inode of the socket in state LISTEN (0A) on a port, in the format of /proc/net/tcp.
    static func listeningInode(port: Int, table: String) -> String? {
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard fields.count > 9, fields[3] == "0A", let colon = fields[1].lastIndex(of: ":") else { continue }
            if Int(fields[1][fields[1].index(after: colon)...], radix: 16) == port { return String(fields[9]) }
        }
        return nil
    }

    private static func process(holding inode: String) -> String? {
        let wanted = "socket:[\(inode)]"
        for process in list("/proc") where process.allSatisfy(\.isNumber) {
            for descriptor in list("/proc/\(process)/fd") where target(of: "/proc/\(process)/fd/\(descriptor)") == wanted {
                let name = text(of: "/proc/\(process)/comm")?.split(separator: "\n").first.map(String.init) ?? "a process"
                return "\(name) (pid \(process))"
            }
        }
        return nil
    }

    // Other users' processes and such as end meanwhile cannot be read; they are skipped, since this only improves an error message.

    private static func list(_ folder: String) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: folder) } catch { return [] }
    }

    private static func target(of link: String) -> String? {
        do { return try FileManager.default.destinationOfSymbolicLink(atPath: link) } catch { return nil }
    }

    private static func text(of path: String) -> String? {
        do { return String(decoding: try FileText.read(path), as: UTF8.self) } catch { return nil }
    }
}

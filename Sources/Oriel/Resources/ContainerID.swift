/// Finds the id of the container that a process runs in.
enum ContainerID {
    /// In `/proc/self/cgroup`, where version 1 of control groups names it: `12:pids:/docker/ID`, `…/docker-ID.scope`, `…/cri-containerd-ID.scope`, `…/crio-ID`. Of version 2 only `0::/` is seen
    /// from inside.
    static func inControlGroups(_ text: String) -> String? {
        for line in text.split(separator: "\n") {
            guard let last = line.split(separator: "/").last else { continue }
            var name = last
            if name.hasSuffix(".scope") { name = name.dropLast(6) }
            if let id = id(name) ?? name.lastIndex(where: { $0 == "-" || $0 == ":" }).flatMap({ id(name[name.index(after: $0)...]) }) { return id }
            if let task = fargateID(name) { return task }
        }
        return nil
    }

    /// In `/proc/self/mountinfo`, where Docker and Podman mount a file of the container's own folder: `…/containers/ID/hostname`. A `sandboxes` folder is not the container's but its pod's.
    static func inMounts(_ text: String) -> String? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            // The fourth field is the place in the file system that is mounted, the fifth where it is seen.
            guard fields.count > 4, ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv"].contains(fields[4]) else { continue }
            let folders = fields[3].split(separator: "/")
            for (folder, child) in zip(folders, folders.dropFirst()) where folder.hasSuffix("containers") {
                if let id = id(child) { return id }
            }
        }
        return nil
    }

    /// 64 hexadecimal digits.
    private static func id(_ text: Substring) -> String? {
        text.utf8.count == 64 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase } ? String(text) : nil
    }

    /// What ECS on Fargate has: 32 hexadecimal digits, `-`, 10 digits.
    private static func fargateID(_ text: Substring) -> String? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 32, parts[0].allSatisfy(\.isHexDigit), parts[1].utf8.count >= 9, parts[1].allSatisfy(\.isNumber) else {
            return nil
        }
        return String(text)
    }
}

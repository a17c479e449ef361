#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import OrielTelemetry

/// What can be found out about a process, by kind. Keys are those of OpenTelemetry's semantic conventions for resources.
enum ResourceDetection {
    static var sdk: [Attribute] {
        [
            Attribute("telemetry.sdk.name", "oriel"), Attribute("telemetry.sdk.language", "swift"),
            Attribute("telemetry.sdk.version", .string(Oriel.version)), Attribute("service.instance.id", .string(Oriel.instanceID)),
        ]
    }

    // MARK: Process and host

    static func process(_ files: ResourceFiles) -> [Attribute] {
        var attributes = [
            Attribute("process.pid", .int(Int64(getpid()))), Attribute("process.runtime.name", "swift"),
            Attribute("process.executable.name", .string(executableName(files))),
        ]
        if let path = files.executablePath() { attributes.append(Attribute("process.executable.path", .string(path))) }
        if let version = compilerVersion { attributes.append(Attribute("process.runtime.version", .string(version))) }
        return attributes
    }

    static func executableName(_ files: ResourceFiles) -> String {
        let path = files.executablePath() ?? CommandLine.arguments.first ?? ""
        return path.split(separator: "/").last.map(String.init) ?? "swift"
    }

    /// The runtime does not tell its version. It is seldom another one than the compiler's.
    private static var compilerVersion: String? {
        #if compiler(>=6.5)
        nil
        #elseif compiler(>=6.4)
        "6.4"
        #elseif compiler(>=6.3)
        "6.3"
        #elseif compiler(>=6.2)
        "6.2"
        #else
        nil
        #endif
    }

    static func host(_ files: ResourceFiles) -> [Attribute] {
        var attributes: [Attribute] = []
        if let name = files.hostName(), !name.isEmpty { attributes.append(Attribute("host.name", .string(name))) }
        #if arch(x86_64)
        attributes.append(Attribute("host.arch", "amd64"))
        #elseif arch(arm64)
        attributes.append(Attribute("host.arch", "arm64"))
        #elseif arch(arm)
        attributes.append(Attribute("host.arch", "arm32"))
        #elseif arch(i386)
        attributes.append(Attribute("host.arch", "x86"))
        #endif
        #if os(Linux) || os(Android)
        attributes.append(Attribute("os.type", "linux"))
        #elseif canImport(Darwin)
        attributes.append(Attribute("os.type", "darwin"))
        #endif
        return attributes
    }

    // MARK: Where it runs

    static func container(_ files: ResourceFiles) -> [Attribute] {
        let id = files.text("/proc/self/cgroup").flatMap(ContainerID.inControlGroups) ?? files.text("/proc/self/mountinfo").flatMap(ContainerID.inMounts)
        return id.map { [Attribute("container.id", .string($0))] } ?? []
    }

    /// Variables that begin with `K8S_` say what they are; plain ones such as `POD_NAME` are believed inside a cluster only.
    static func kubernetes(_ environment: EnvironmentVariables, _ files: ResourceFiles) -> [Attribute] {
        let isInside = environment["KUBERNETES_SERVICE_HOST"] != nil
        let plain = { (name: String) in isInside ? environment[name] : nil }
        var namespace = environment[any: "K8S_NAMESPACE_NAME", "K8S_NAMESPACE", "K8S_POD_NAMESPACE"] ?? plain("POD_NAMESPACE") ?? plain("NAMESPACE")
        if namespace == nil, isInside {
            namespace = files.text("/var/run/secrets/kubernetes.io/serviceaccount/namespace").map { String($0.prefix { !$0.isNewline }).trimmingBlanks }
        }
        let found: [(String, String?)] = [
            ("k8s.namespace.name", namespace),
            ("k8s.pod.name", environment["K8S_POD_NAME"] ?? plain("POD_NAME")),
            ("k8s.pod.uid", environment["K8S_POD_UID"] ?? plain("POD_UID")),
            ("k8s.node.name", environment["K8S_NODE_NAME"] ?? plain("NODE_NAME")),
            ("k8s.container.name", environment["K8S_CONTAINER_NAME"] ?? plain("CONTAINER_NAME")),
            ("k8s.deployment.name", environment["K8S_DEPLOYMENT_NAME"]),
            ("k8s.cluster.name", environment["K8S_CLUSTER_NAME"]),
        ]
        return found.compactMap { key, value in value.flatMap { $0.isEmpty ? nil : Attribute(key, .string($0)) } }
    }

    static func functionName(_ environment: EnvironmentVariables) -> String? { environment["AWS_LAMBDA_FUNCTION_NAME"] }

    static func lambda(_ environment: EnvironmentVariables) -> [Attribute] {
        guard let name = functionName(environment) else { return [] }
        var attributes = [Attribute("cloud.provider", "aws"), Attribute("cloud.platform", "aws_lambda"), Attribute("faas.name", .string(name))]
        let texts = [
            ("cloud.region", environment[any: "AWS_REGION", "AWS_DEFAULT_REGION"]), ("faas.version", environment["AWS_LAMBDA_FUNCTION_VERSION"]),
            ("faas.instance", environment["AWS_LAMBDA_LOG_STREAM_NAME"]),
        ]
        attributes += texts.compactMap { key, value in value.map { Attribute(key, .string($0)) } }
        // The variable is in mebibytes, the attribute in bytes.
        if let text = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], let megabytes = Int64(text), (1...1 << 30).contains(megabytes) {
            attributes.append(Attribute("faas.max_memory", .int(megabytes << 20)))
        }
        return attributes
    }
}

public import OrielTelemetry

extension Oriel {
    /// What this process is: the resource that its telemetry carries.
    ///
    /// Of one attribute what `configuration` says counts most, then what is found out: the process and its host, the container (`/proc/self/cgroup`, `/proc/self/mountinfo`), Kubernetes (variables
    /// of the downward API, the service account's namespace), AWS Lambda (its variables). Arguments of the command line are never among it, since they may be secrets. Where nothing names the
    /// service it is `unknown_service:` and the name of the executable, in a function the function's name.
    ///
    /// Costs less than a millisecond: it reads some small files and asks nobody over a network.
    public static func detectResource(_ configuration: Configuration = Configuration()) -> Resource {
        detectResource(configuration, environment: .process, files: .system)
    }

    /// As ``detectResource(_:)``, with the variables of another environment.
    public static func detectResource(_ configuration: Configuration, environment: [String: String]) -> Resource {
        detectResource(configuration, environment: EnvironmentVariables(environment), files: .system)
    }

    static func detectResource(_ configuration: Configuration, environment: EnvironmentVariables, files: ResourceFiles) -> Resource {
        var attributes: [Attribute] = []
        attributes += ResourceDetection.sdk
        attributes += ResourceDetection.process(files)
        attributes += ResourceDetection.host(files)
        attributes += ResourceDetection.container(files)
        attributes += ResourceDetection.kubernetes(environment, files)
        attributes += ResourceDetection.lambda(environment)
        // Later ones of the same key count.
        attributes += configuration.resourceAttributes
        let own = [
            ("service.name", configuration.serviceName), ("service.version", configuration.serviceVersion),
            ("service.namespace", configuration.serviceNamespace), ("deployment.environment.name", configuration.environmentName),
        ]
        attributes += own.compactMap { key, value in value.map { Attribute(key, .string($0)) } }

        var resource = Resource(attributes: attributes)
        if resource.serviceName.isEmpty {
            let name = ResourceDetection.functionName(environment) ?? "unknown_service:\(ResourceDetection.executableName(files))"
            resource = Resource(attributes: attributes + [Attribute("service.name", .string(name))])
        }
        return resource
    }

    /// The resource for metrics: of a function without `service.instance.id` and `faas.instance`, so that the deltas of all its sandboxes add up in one series; of all else the same.
    public static func metricResource(of resource: Resource) -> Resource {
        guard resource["faas.name"] != nil else { return resource }
        var metrics = resource
        metrics.attributes.removeAll { $0.key == "service.instance.id" || $0.key == "faas.instance" }
        return metrics
    }

    /// `service.instance.id`: a random UUID of this process.
    static let instanceID = UUIDText.random(using: SystemRandomNumberGenerator())

    /// The version of the client, `telemetry.sdk.version`.
    static let version = OrielVersion.text
}

enum UUIDText {
    /// A UUID of version 4 as text (RFC 9562).
    static func random(using generator: some RandomNumberGenerator) -> String {
        var generator = generator
        let high = (UInt64.random(in: 0...UInt64.max, using: &generator) & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000
        let low = (UInt64.random(in: 0...UInt64.max, using: &generator) & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
        let digits = Array(TraceID(high: high, low: low).hexadecimal)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }
}

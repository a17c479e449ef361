import OrielTelemetry
import Testing

@testable import Oriel

@Suite struct ResourceTests {
    private let id = String(repeating: "0123456789abcdef", count: 4)

    private func files(_ texts: [String: String] = [:]) -> ResourceFiles {
        ResourceFiles(text: { texts[$0] }, executablePath: { "/opt/shop/bin/shopd" }, hostName: { "box" })
    }

    private func detect(
        _ configuration: Oriel.Configuration = .init(), environment: [String: String] = [:], files texts: [String: String] = [:]
    ) -> Resource {
        Oriel.detectResource(configuration, environment: EnvironmentVariables(environment), files: files(texts))
    }

    @Test func processAndHostAreFound() {
        let resource = detect()
        #expect(resource.serviceName == "unknown_service:shopd")
        #expect(resource["process.executable.name"] == "shopd")
        #expect(resource["process.executable.path"] == "/opt/shop/bin/shopd")
        #expect(resource["process.runtime.name"] == "swift")
        #expect(resource["host.name"] == "box")
        #expect(resource["telemetry.sdk.name"] == "oriel")
        #expect(resource["telemetry.sdk.language"] == "swift")
        if case .int(let pid)? = resource["process.pid"] { #expect(pid > 0) } else { Issue.record("no process.pid") }
        for key in ["container.id", "k8s.pod.name", "cloud.provider", "faas.name", "process.command_args"] { #expect(resource[key] == nil) }
    }

    @Test func theInstanceIsTheSameUUIDInTheWholeProcess() {
        guard case .string(let id)? = detect()["service.instance.id"] else {
            Issue.record("no instance")
            return
        }
        #expect(detect()["service.instance.id"] == .string(id))
        let parts = id.split(separator: "-")
        #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
        #expect(parts[2].hasPrefix("4"))
        #expect("89ab".contains(parts[3].prefix(1)))
        #expect(UUIDText.random(using: SystemRandomNumberGenerator()) != id)
    }

    @Test func whatIsConfiguredCountsMost() {
        var configuration = Oriel.Configuration(
            environment: ["OTEL_RESOURCE_ATTRIBUTES": "service.name=attr,host.name=mine,team=blue%20sky,service.namespace=a", "OTEL_SERVICE_NAME": "named"])
        #expect(detect(configuration).serviceName == "named")
        configuration.serviceName = nil
        #expect(detect(configuration).serviceName == "attr")
        configuration.serviceVersion = "1.2"
        configuration.serviceNamespace = "b"
        configuration.environmentName = "production"
        let resource = detect(configuration)
        #expect(resource["host.name"] == "mine")
        #expect(resource["team"] == "blue sky")
        #expect(resource["service.version"] == "1.2")
        #expect(resource["service.namespace"] == "b")
        #expect(resource["deployment.environment.name"] == "production")
    }

    @Test(arguments: [
        "12:pids:/docker/ID", "1:name=systemd:/system.slice/docker-ID.scope", "4:cpu:/kubepods/burstable/pod1/ID",
        "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-ID.scope", "0::/machine.slice/libpod-ID.scope", "0::/../crio-ID",
        "0::/system.slice/containerd.service/kubepods-burstable-pod1.slice:cri-containerd:ID",
    ])
    func theContainerIsInTheControlGroups(line: String) {
        let text = "13:memory:/\n" + line.replacing("ID", with: id) + "\n"
        #expect(detect(files: ["/proc/self/cgroup": text])["container.id"] == .string(id))
    }

    @Test func theContainerIsInTheMounts() {
        let root = "1 2 0:1 / / rw - overlay overlay rw\n"
        let docker = root + "3 1 8:1 /var/lib/docker/containers/\(id)/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw\n"
        let podman = root + "3 1 8:1 /containers/storage/overlay-containers/\(id)/userdata/hostname /etc/hostname rw - tmpfs tmpfs rw\n"
        let pod = root + "3 1 8:1 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/\(id)/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
        for (text, expected) in [(docker, id), (podman, id), (pod, nil), (root, nil), ("garbage", nil)] {
            let resource = detect(files: ["/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": text])
            #expect(resource["container.id"] == expected.map { .string($0) })
        }
    }

    @Test func aTaskOfFargateIsAContainer() {
        let task = "0123456789abcdef0123456789abcdef-1234567890"
        #expect(detect(files: ["/proc/self/cgroup": "1:cpu:/ecs/0123456789abcdef0123456789abcdef/\(task)\n"])["container.id"] == .string(task))
        #expect(detect(files: ["/proc/self/cgroup": "1:cpu:/user.slice/session-1.scope\n"])["container.id"] == nil)
    }

    @Test func kubernetesIsKnownFromTheDownwardAPI() {
        let resource = detect(
            environment: ["KUBERNETES_SERVICE_HOST": "10.0.0.1", "POD_NAME": "shop-1", "K8S_POD_UID": "u", "K8S_NODE_NAME": "n", "K8S_CONTAINER_NAME": "c"],
            files: ["/var/run/secrets/kubernetes.io/serviceaccount/namespace": "prod\n"])
        #expect(resource["k8s.pod.name"] == "shop-1")
        #expect(resource["k8s.pod.uid"] == "u")
        #expect(resource["k8s.node.name"] == "n")
        #expect(resource["k8s.container.name"] == "c")
        #expect(resource["k8s.namespace.name"] == "prod")

        #expect(detect(environment: ["KUBERNETES_SERVICE_HOST": "h", "POD_NAMESPACE": "own"])["k8s.namespace.name"] == "own")
        // Outside a cluster anybody may have such a variable.
        #expect(detect(environment: ["POD_NAME": "x"])["k8s.pod.name"] == nil)
        #expect(detect(environment: ["K8S_POD_NAME": "x"])["k8s.pod.name"] == "x")
    }

    @Test func aFunctionIsKnownFromItsEnvironment() {
        let environment = [
            "AWS_LAMBDA_FUNCTION_NAME": "resize", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_REGION": "eu-central-1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/02/[1]abc",
        ]
        let resource = detect(environment: environment)
        #expect(resource.serviceName == "resize")
        #expect(resource["cloud.provider"] == "aws")
        #expect(resource["cloud.platform"] == "aws_lambda")
        #expect(resource["cloud.region"] == "eu-central-1")
        #expect(resource["faas.name"] == "resize")
        #expect(resource["faas.version"] == "$LATEST")
        #expect(resource["faas.max_memory"] == 134_217_728)
        #expect(resource["faas.instance"] == "2026/01/02/[1]abc")

        let metrics = Oriel.metricResource(of: resource)
        #expect(metrics["service.instance.id"] == nil && metrics["faas.instance"] == nil)
        #expect(metrics["faas.name"] == "resize")
        #expect(metrics.attributes.count == resource.attributes.count - 2)

        var named = Oriel.Configuration()
        named.serviceName = "images"
        #expect(detect(named, environment: environment).serviceName == "images")
        for size in ["", "much", "-1", "9223372036854775807"] {
            #expect(detect(environment: environment.merging(["AWS_LAMBDA_FUNCTION_MEMORY_SIZE": size]) { $1 })["faas.max_memory"] == nil)
        }
    }

    @Test func metricsOfAServiceHaveItsResource() {
        let resource = detect()
        #expect(Oriel.metricResource(of: resource) == resource)
    }

    @Test func theMachineOfTheTestsIsFound() {
        let resource = Oriel.detectResource()
        #expect(!resource.serviceName.isEmpty)
        #expect(resource["host.name"] != nil)
        #expect(resource["process.executable.name"] != nil)
        #expect(ResourceFiles.system.text("/no/such/file") == nil)
    }
}

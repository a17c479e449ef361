import OrielTelemetry

/// What a resource contributes to the labels of its series.
///
/// Precedence, as in Prometheus: point attributes; promoted resource attributes where no point attribute has the name; the scope's labels
/// over both; `job` and
/// `instance` over all.
struct OTLPResourceLabels: Sendable {
    private var promoted: [Label] = []
    private var deltaPromoted: [Label] = []
    private let isFunction: Bool
    private var job: Label?
    private var instance: Label?
    /// The canonical descriptor of the resource's `target_info`; `nil` when there is nothing to tell or nothing to join it with.
    private(set) var targetInfo: [UInt8]?

    init(_ resource: Resource, options: OTLPMetricOptions, naming: MetricNaming) {
        if let name = resource["service.name"]?.labelText, !name.isEmpty {
            let namespace = resource["service.namespace"]?.labelText ?? ""
            job = Label("job", namespace.isEmpty ? name : namespace + "/" + name)
        }
        if let id = resource["service.instance.id"]?.labelText, !id.isEmpty { instance = Label("instance", id) }

        isFunction = resource.attributes.contains { $0.key.hasPrefix("faas.") }

        let wanted = Set(options.promotedResourceAttributes)
        let chosen = resource.attributes.filter { wanted.contains($0.key) }
        promoted = OTLPResourceLabels.merged(chosen, naming: naming)
        // What tells the sandboxes of one function apart would make a series of each, which never adds up to the function's total.
        deltaPromoted = OTLPResourceLabels.merged(isFunction ? chosen.filter { !OTLPResourceLabels.sandboxKeys.contains($0.key) } : chosen, naming: naming)

        let identifying: Set<String> = ["service.name", "service.namespace", "service.instance.id"]
        var info = OTLPResourceLabels.merged(resource.attributes.filter { !identifying.contains($0.key) }, naming: naming)
        if !info.isEmpty, job != nil || instance != nil {
            for label in [job, instance] { if let label { OTLPResourceLabels.set(label, in: &info) } }
            OTLPResourceLabels.set(Label(Label.metricName, "target_info"), in: &info)
            targetInfo = StreamDescriptor.series(info).encoded
        }
    }

    /// Resource attributes that a function's delta stream leaves out.
    private static let sandboxKeys: Set<String> = ["service.instance.id", "faas.instance"]

    /// All labels of a point's series but the metric's name, sorted.
    func labels(of attributes: [Attribute], scope: [Label], isDelta: Bool, naming: MetricNaming) -> [Label] {
        var labels = OTLPResourceLabels.merged(attributes, naming: naming)
        for label in isDelta ? deltaPromoted : promoted where !labels.contains(where: { $0.name == label.name }) {
            OTLPResourceLabels.set(label, in: &labels)
        }
        for label in scope { OTLPResourceLabels.set(label, in: &labels) }
        if let job { OTLPResourceLabels.set(job, in: &labels) }
        if let instance, !(isDelta && isFunction) { OTLPResourceLabels.set(instance, in: &labels) }
        return labels
    }

    /// `otel_scope_…` of a scope, none for a scope without a name.
    static func labels(of scope: InstrumentationScope, naming: MetricNaming) -> [Label] {
        guard !scope.name.isEmpty else { return [] }
        var labels = merged(scope.attributes.map { Attribute("otel_scope_" + $0.key, $0.value) }, naming: naming)
        set(Label("otel_scope_name", scope.name), in: &labels)
        set(Label("otel_scope_version", scope.version), in: &labels)
        set(Label("otel_scope_schema_url", scope.schemaURL), in: &labels)
        return labels
    }

    /// Attributes as labels sorted by name. Values whose keys become the same name are joined with `;` in the order of their keys; of equal
    /// keys the last one counts.
    static func merged(_ attributes: [Attribute], naming: MetricNaming) -> [Label] {
        var byKey: [String: String] = [:]
        for attribute in attributes { byKey[attribute.key] = attribute.value.labelText }
        var labels: [Label] = []
        var indexes: [String: Int] = [:]
        for (key, value) in byKey.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let name = naming.labelName(key)
            guard !name.isEmpty else { continue }
            if let index = indexes[name] {
                labels[index].value += ";" + value
            } else {
                indexes[name] = labels.count
                labels.append(Label(name, value))
            }
        }
        return labels.filter { !$0.value.isEmpty }.sorted()
    }

    /// Puts a label in its place among sorted ones, over one of its name; an empty value removes it.
    static func set(_ label: Label, in labels: inout [Label]) {
        let index = labels.firstIndex { !$0.name.utf8.lexicographicallyPrecedes(label.name.utf8) } ?? labels.count
        let isPresent = index < labels.count && labels[index].name == label.name
        switch (isPresent, label.value.isEmpty) {
        case (true, true): labels.remove(at: index)
        case (true, false): labels[index] = label
        case (false, false): labels.insert(label, at: index)
        case (false, true): break
        }
    }
}

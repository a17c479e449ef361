/// Who is compared.
enum Library: String, CaseIterable {
    case oriel = "Oriel"
    case prometheus = "swift-prometheus"
    case otel = "swift-otel"
}

/// The figures of a run.
struct Report {
    let options: Options
    private var lines: [String] = []

    private static let nameWidth = 58
    private static let numberWidth = 18

    init(options: Options) { self.options = options }

    /// Measures a row: the same calls with a backend that does nothing and with each of `values`.
    mutating func compare<Value>(
        _ name: String, _ measurement: Measurement, nothing: Value, _ values: KeyValuePairs<Library, Value>, _ body: @escaping (Value, Int) -> Void
    ) {
        guard options.wants(name) else { return }
        let all = [nothing] + values.map(\.value)
        add(name, measurement.costs(all.map { value in { body(value, $0) } }), values.map(\.key))
    }

    /// Measures a row with so many threads at the same time.
    mutating func compare<Value: Sendable>(
        _ name: String, _ measurement: Measurement, threads: Int, nothing: Value, _ values: KeyValuePairs<Library, Value>,
        _ body: @escaping @Sendable (Value, Int) -> Void
    ) {
        guard options.wants(name) else { return }
        let all = [nothing] + values.map(\.value)
        add(name, measurement.costs(threads: threads, all.map { value in { body(value, $0) } }), values.map(\.key))
    }

    /// - Parameter costs: of the call that does nothing first.
    mutating func add(_ name: String, _ costs: [Double], _ libraries: [Library]) {
        let above = Dictionary(uniqueKeysWithValues: zip(libraries, costs.dropFirst().map { $0 - costs[0] }))
        add(name, cells: [Self.rounded(costs[0])] + Library.allCases.map { above[$0].map(Self.rounded) ?? "" })
    }

    /// A figure for which doing nothing is no comparison.
    mutating func add(_ name: String, _ values: [Library: Double]) {
        add(name, cells: [""] + Library.allCases.map { values[$0].map(Self.rounded) ?? "" })
    }

    var table: String {
        let head = Self.line("ns of one call, by the CPU time of its thread", ["no-op, in all"] + Library.allCases.map { "+ \($0.rawValue)" })
        return ([head] + lines).joined(separator: "\n")
    }

    private mutating func add(_ name: String, cells: [String]) { lines.append(Self.line(name, cells)) }

    private static func line(_ name: String, _ cells: [String]) -> String {
        let padding = String(repeating: " ", count: max(nameWidth - name.count, 0))
        return name + padding + cells.map { String(repeating: " ", count: max(numberWidth - $0.count, 1)) + $0 }.joined()
    }

    private static func rounded(_ value: Double) -> String {
        abs(value) >= 100 ? "\(Int64(value.rounded()))" : "\((value * 10).rounded() / 10)"
    }
}

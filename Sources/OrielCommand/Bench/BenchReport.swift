import OrielTelemetry

/// The result of a measurement: lines for people, and the same figures as one JSON object.
struct BenchReport {
    enum Figure {
        case text(String)
        case integer(Int)
        case number(Double)
        case list([String])
    }

    private var figures: [(key: String, figure: Figure)] = []
    private var lines: [(label: String, text: String)] = []

    /// Starts with what was run, and on what.
    init(command: String, seed: UInt64) {
        let machine = Machine.current
        add("command", .text(command))
        add("seed", .integer(Int(clamping: seed)))
        add("machine.processor", .text(machine.processor))
        add("machine.cores", .integer(machine.cores))
        add("machine.memory_bytes", .integer(machine.memoryBytes))
        add("machine.system", .text(machine.system))
        add("build", .text(Machine.buildConfiguration))
        line("command", command + " (seed \(seed))")
        line(
            "machine", "\(machine.cores) cores of \(machine.processor), \(BenchReport.bytes(machine.memoryBytes)), \(machine.system)")
        line("build", Machine.buildConfiguration + (Machine.buildConfiguration == "debug" ? ": NOT A MEASURE OF ANYTHING, use a release build" : ""))
    }

    mutating func add(_ key: String, _ figure: Figure) {
        figures.append((key, figure))
    }

    mutating func line(_ label: String, _ text: String) {
        lines.append((label, text))
    }

    var table: String {
        let width = max(14, (lines.map(\.label.count).max() ?? 0) + 2)
        return lines.map { line in line.label + String(repeating: " ", count: max(1, width - line.label.count)) + line.text }.joined(separator: "\n")
    }

    var json: String {
        var writer = JSONWriter()
        writer.object { object in
            for (key, figure) in figures {
                object.key(key)
                switch figure {
                case .text(let text): object.string(text)
                case .integer(let value): object.integer(value)
                case .number(let value): object.double(value)
                case .list(let texts): object.array { array in for text in texts { array.string(text) } }
                }
            }
        }
        return writer.text
    }

    /// An integer with commas between groups of three digits.
    static func grouped(_ value: Int) -> String {
        var digits = Array(String(value.magnitude))
        var index = digits.count - 3
        while index > 0 {
            digits.insert(",", at: index)
            index -= 3
        }
        return (value < 0 ? "-" : "") + String(digits)
    }

    /// A number with so many digits after the point.
    static func decimal(_ value: Double, _ digits: Int = 1) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return sign + grouped(scaled) }
        let fraction = String(scaled % scale)
        return sign + grouped(scaled / scale) + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// A size in the unit that fits it.
    static func bytes(_ value: Int) -> String {
        value >= 1 << 30
            ? decimal(Double(value) / Double(1 << 30)) + " GiB"
            : value >= 1 << 20 ? decimal(Double(value) / Double(1 << 20)) + " MiB" : decimal(Double(value) / 1024) + " KiB"
    }
}

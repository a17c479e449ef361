/// What a call may cost above the no-op backend.
struct Aim {
    var nanoseconds: Double?
    var mallocs: Double?

    /// Counts that differ by less are the same: a chunk of a queue that is allocated now and then is no allocation of a call.
    private static let tolerance = 0.01

    func isMet(by cost: Cost) -> Bool {
        cost.nanoseconds <= nanoseconds ?? .infinity && cost.mallocs <= (mallocs ?? .infinity) + Self.tolerance
    }
}

/// The figures of a run.
struct Report {
    /// The cost of a call, and of the same call with a backend that does nothing.
    struct Call {
        var name: String
        var cost: Cost
        var base: Cost
        var aim: Aim?

        var above: Cost { cost - base }
    }

    /// Any other figure.
    struct Figure {
        var name: String
        var value: Double
        var unit: String
        /// The most that it should be.
        var aim: Double?
    }

    private(set) var calls: [Call] = []
    private(set) var figures: [Figure] = []

    mutating func add(_ name: String, _ cost: Cost, above base: Cost, aim: Aim? = nil) {
        calls.append(Call(name: name, cost: cost, base: base, aim: aim))
    }

    mutating func add(_ name: String, _ value: Double, _ unit: String, aim: Double? = nil) {
        figures.append(Figure(name: name, value: value, unit: unit, aim: aim))
    }
}

// MARK: Text

extension Report {
    private static let nameWidth = 58
    private static let numberWidth = 10

    /// A table for people.
    var table: String {
        var lines = [Self.line("one call, by the CPU time of its thread", ["ns", "mallocs", "above: ns", "mallocs", "aim: ns", "mallocs"], "")]
        for call in calls {
            let numbers = [call.cost.nanoseconds, call.cost.mallocs, call.above.nanoseconds, call.above.mallocs].map(Self.rounded)
            let aims = [call.aim?.nanoseconds, call.aim?.mallocs].map { $0.map(Self.rounded) ?? "" }
            lines.append(Self.line(call.name, numbers + aims, Self.verdict(call.aim?.isMet(by: call.above))))
        }
        lines.append("")
        for figure in figures {
            let aim = figure.aim.map { "aim \(Self.rounded($0))" } ?? ""
            lines.append(Self.line(figure.name, [Self.rounded(figure.value), figure.unit, aim], Self.verdict(figure.aim.map { figure.value <= $0 })))
        }
        return lines.joined(separator: "\n")
    }

    private static func line(_ name: String, _ columns: [String], _ verdict: String) -> String {
        let padding = String(repeating: " ", count: max(nameWidth - name.count, 0))
        let cells = columns.map { String(repeating: " ", count: max(numberWidth - $0.count, 1)) + $0 }
        return name + padding + cells.joined() + verdict
    }

    private static func verdict(_ isMet: Bool?) -> String { isMet == false ? "  missed" : "" }

    private static func rounded(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100
        return abs(value) >= 100 ? "\(Int64(value.rounded()))" : rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }
}

// MARK: JSON

extension Report {
    /// An object with the members `calls` and `figures`.
    var json: String {
        let calls = calls.map { call in
            var members = [
                "\"name\":\"\(call.name)\"", "\"nanoseconds\":\(call.cost.nanoseconds)", "\"mallocs\":\(call.cost.mallocs)",
                "\"base_nanoseconds\":\(call.base.nanoseconds)", "\"base_mallocs\":\(call.base.mallocs)", "\"above_nanoseconds\":\(call.above.nanoseconds)",
                "\"above_mallocs\":\(call.above.mallocs)",
            ]
            if let aim = call.aim {
                if let nanoseconds = aim.nanoseconds { members.append("\"aim_nanoseconds\":\(nanoseconds)") }
                if let mallocs = aim.mallocs { members.append("\"aim_mallocs\":\(mallocs)") }
                members.append("\"aim_met\":\(aim.isMet(by: call.above))")
            }
            return "{" + members.joined(separator: ",") + "}"
        }
        let figures = figures.map { figure in
            let aim = figure.aim.map { ",\"aim\":\($0),\"aim_met\":\(figure.value <= $0)" } ?? ""
            return "{\"name\":\"\(figure.name)\",\"value\":\(figure.value),\"unit\":\"\(figure.unit)\"\(aim)}"
        }
        return "{\"calls\":[\n\(calls.joined(separator: ",\n"))\n],\"figures\":[\n\(figures.joined(separator: ",\n"))\n]}"
    }
}

import ArgumentParser
import OrielCollector
import OrielSQLite
import OrielStore
import OrielTelemetry

/// `oriel doctor`: whether a store is sound, and what takes its room.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check a store, and show what takes its room.",
        discussion: """
            Reads and checks everything that the store has in files, then tells what is damaged, what the last start lost, how large signals, services and columns are, and
            which metrics and labels have most series and values. A stopped store is opened for that, which repairs what a crash left.
            Exit status: 0 healthy, 1 there are problems.

            With --salvage, what is readable of each damaged file is written into a new file that takes its place, and the receipt says what is lost. The damaged files are
            kept in data/unknown, where neither retention nor deletions reach them: remove them when nobody needs them any more.
            Exit status then: 0 no damaged file is left in its place, 1 one could not be replaced.

            Examples:
              oriel doctor
              oriel doctor --quick --data /var/lib/oriel
              oriel doctor --salvage
              oriel doctor --output json | jq .problems
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
    }

    @Option(name: [.short, .long], help: ArgumentHelp("table for people, or json.", valueName: "format"))
    var output = Format.table

    @Flag(help: "Do not read the files whole; damage that nobody met yet is not found.")
    var quick = false

    @Flag(help: "Replace damaged files by what is readable of them.")
    var salvage = false

    @Option(help: ArgumentHelp("Lines of each list.", valueName: "number"))
    var top = 10

    @OptionGroup var store: DataStoreOptions

    func validate() throws {
        if salvage, quick { throw ValidationError("--salvage and --quick exclude each other: only who reads the files whole finds all damage") }
    }

    func run() async throws {
        if salvage { return try await runSalvage() }
        let readsAll = !quick
        let body = Array("{\"reads\":\(readsAll)}".utf8)
        let result = try await store.result("/api/oriel/admin/v1/doctor", body: body) { opened in
            AdministrationAnswer.examination(try await opened.examine(readsAll: readsAll))
        }
        let found = try AnswerList.decode(ExaminationAnswer.self, result)
        var out = StandardOutput()
        switch output {
        case .json: try out.write(result + [UInt8(ascii: "\n")])
        case .table:
            try out.lines(found.lines(RenderOptions(style: Style(isColoured: Terminal.mayColour), width: Terminal.width, isUTC: true), top: max(0, top)))
        }
        try out.flush()
        if !found.healthy { throw ExitCode(1) }
    }

    private func runSalvage() async throws {
        let result = try await store.result("/api/oriel/admin/v1/salvage", body: []) { opened in
            AdministrationAnswer.salvage(try await opened.salvage())
        }
        let done = try AnswerList.decode(SalvageAnswer.self, result)
        var out = StandardOutput()
        switch output {
        case .json: try out.write(result + [UInt8(ascii: "\n")])
        case .table:
            try out.lines(done.lines(RenderOptions(style: Style(isColoured: Terminal.mayColour), width: Terminal.width, isUTC: true), top: max(0, top)))
        }
        try out.flush()
        if !done.failures.isEmpty { throw ExitCode(1) }
    }
}

/// What an examination found, as the server says it.
struct ExaminationAnswer: Decodable {
    struct Problem: Decodable {
        var place: String
        var reason: String
    }

    struct SignalSize: Decodable {
        var signal: String
        var rows: Int
        var files: Int
        var bytes: Int
    }

    struct Share: Decodable {
        var signal: String
        var name: String
        var bytes: Int
        var rows: Int
    }

    struct Cardinality: Decodable {
        var name: String
        var count: Int
    }

    struct UnknownFile: Decodable {
        var name: String
        var bytes: Int64
    }

    struct Disk: Decodable {
        var budgetBytes: Int64?
        var usedBytes: Int64
        var full: Bool
        var bytesPerDay: [String: Double]
        var droppedBytes: [String: Int64]
        var secondsUntilFull: Double?

        enum CodingKeys: String, CodingKey {
            case budgetBytes = "budget_bytes"
            case usedBytes = "used_bytes"
            case full
            case bytesPerDay = "bytes_per_day"
            case droppedBytes = "dropped_bytes"
            case secondsUntilFull = "seconds_until_full"
        }

        /// What the disk holds, and how long that goes well.
        var line: String {
            var text = "\(ByteSize.text(usedBytes)) on the disk" + (budgetBytes.map { " of a budget of \(ByteSize.text($0))" } ?? "")
            let growth = bytesPerDay.values.reduce(0, +)
            if growth >= 1 { text += ", \(ByteSize.text(Int64(min(growth, 1e18)))) more a day" }
            if full {
                text += "; the disk is full: data is refused"
            } else if let secondsUntilFull {
                let budgetIsUsed = secondsUntilFull <= 0 && budgetBytes != nil
                text += budgetIsUsed ? "; the budget is used up: the oldest rows go first" : "; full in \(Self.duration(secondsUntilFull))"
            }
            let dropped = droppedBytes.values.reduce(0, +)
            if dropped > 0 { text += "; \(ByteSize.text(dropped)) went before their time since the start" }
            return text
        }

        static func duration(_ seconds: Double) -> String {
            let (number, unit) = seconds >= 86_400 ? (seconds / 86_400, "days") : seconds >= 3_600 ? (seconds / 3_600, "hours") : (seconds / 60, "minutes")
            // Beyond that nothing is foreseen.
            let tenths = Int((min(number, 1e6) * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) \(unit)"
        }
    }

    var healthy: Bool
    var folder: String
    var disk: Disk?
    var pinnedBytes: Int
    var freeBytes: Int64?
    var checkedFiles: Int
    var checkedBytes: Int
    var problems: [Problem]
    var signals: [SignalSize]
    var services: [Share]
    var columns: [Share]
    var metrics: [Cardinality]
    var labels: [Cardinality]
    var unknownFiles: [UnknownFile]

    enum CodingKeys: String, CodingKey {
        case healthy
        case folder
        case disk
        case pinnedBytes = "pinned_bytes"
        case freeBytes = "free_bytes"
        case checkedFiles = "checked_files"
        case checkedBytes = "checked_bytes"
        case problems
        case signals
        case services
        case columns
        case metrics
        case labels
        case unknownFiles = "unknown_files"
    }

    func lines(_ options: RenderOptions, top: Int) -> [String] {
        var lines: [String] = []
        let checked = checkedFiles == 0 ? "nothing was read whole" : "\(checkedFiles) files, \(ByteSize.text(checkedBytes)) read and checked"
        lines.append("\(TerminalText.safe(folder)): \(checked)\(freeBytes.map { "; \(ByteSize.text($0)) free" } ?? "")")
        if let disk { lines.append(disk.line) }
        if pinnedBytes > 0 { lines.append("\(ByteSize.text(pinnedBytes)) are kept by pins, whatever the retention (`oriel pins` lists them)") }
        if problems.isEmpty {
            lines.append("healthy")
        } else {
            lines += Self.table(["PROBLEM", "WHERE"], problems.map { [$0.reason, $0.place] }, options)
        }
        lines += Self.section(
            ["SIGNAL", "ROWS", "FILES", "SIZE"], signals.map { [$0.signal, "\($0.rows)", "\($0.files)", ByteSize.text($0.bytes)] }, options)
        lines += Self.section(["SERVICE", "SIGNAL", "ROWS", "SIZE"], Self.rows(services.prefix(top)), options)
        lines += Self.section(["COLUMN", "SIGNAL", "ROWS", "SIZE"], Self.rows(columns.prefix(top)), options)
        lines += Self.section(["METRIC", "SERIES"], metrics.prefix(top).map { [$0.name, "\($0.count)"] }, options)
        lines += Self.section(["LABEL", "VALUES"], labels.prefix(top).map { [$0.name, "\($0.count)"] }, options)
        lines += Self.section(["UNKNOWN FILE", "SIZE"], unknownFiles.prefix(top).map { [$0.name, ByteSize.text($0.bytes)] }, options)
        return lines
    }

    private static func rows(_ shares: ArraySlice<Share>) -> [[String]] {
        shares.map { [$0.name.isEmpty ? "(none)" : $0.name, $0.signal, "\($0.rows)", ByteSize.text($0.bytes)] }
    }

    /// A table below an empty line; nothing without rows.
    private static func section(_ titles: [String], _ rows: [[String]], _ options: RenderOptions) -> [String] {
        rows.isEmpty ? [] : [""] + table(titles, rows, options)
    }

    private static func table(_ titles: [String], _ rows: [[String]], _ options: RenderOptions) -> [String] {
        let numbers: Set<String> = ["ROWS", "FILES", "SIZE", "SERIES", "VALUES"]
        var table = Table(titles.map { Table.Column(title: $0, isRightAligned: numbers.contains($0)) })
        for row in rows { table.add(row.map { Table.Cell($0) }) }
        return table.lines(options)
    }
}

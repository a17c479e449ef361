import ArgumentParser
import OrielTelemetry

/// Whom to ask.
struct SourceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Server to ask: http://HOST:PORT, HOST:PORT or unix:/PATH. Environment: ORIEL_SERVER. By default the one on the data folder's socket.",
            valueName: "url"))
    var server: String?

    @Option(
        help: ArgumentHelp("Read the store in this folder, without a server; one that runs there is asked instead.", valueName: "dir"),
        completion: .directory)
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Token to show to the server. Others on this machine can see it in the list of processes: better ORIEL_TOKEN, or ORIEL_TOKEN_FILE for a file.",
            valueName: "token"))
    var token: String?

    func validate() throws {
        if server != nil, data != nil { throw ValidationError("--server and --data exclude each other: the one asks a server, the other reads a folder") }
    }
}

/// How answers are printed.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
        case csv
    }

    @Option(name: [.short, .long], help: ArgumentHelp("table for people, json (an object a line) or csv; the latter in UTC.", valueName: "format"))
    var output = Format.table

    @Flag(help: "Show times in UTC instead of the local zone, and read times without an offset so.")
    var utc = false

    @Flag(name: .customLong("no-color"), help: "No colours, as with NO_COLOR in the environment or without a terminal.")
    var noColor = false

    var rendering: RenderOptions {
        RenderOptions(style: Style(isColoured: !noColor && Terminal.mayColour), width: Terminal.width, isUTC: utc)
    }
}

/// Which time is meant.
struct RangeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "From when: a duration before now (15m, 1h, 2d), RFC 3339, unix seconds or milliseconds, \"yesterday 14:00\". Default: 1h, for `oriel trace` 24h.",
            valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Another name for --since.", valueName: "time"))
    var start: String?

    @Option(help: ArgumentHelp("Until when; the same forms. Default: now.", valueName: "time"))
    var end: String?

    func validate() throws {
        if since != nil, start != nil { throw ValidationError("--since and --start mean the same; give one of them") }
    }

    /// The range, times read in the zone of the output.
    func resolve(_ output: OutputOptions, now: Timestamp, defaultSince: String = "1h") throws -> (start: Timestamp, end: Timestamp?) {
        let zone: CalendarZone = output.utc ? .utc : .local
        let text = since ?? start ?? defaultSince
        guard let lower = TimeExpression.timestamp(text, now: now, zone: zone) else {
            throw CommandFailure("\"\(text)\" is no time: expected \(TimeExpression.forms)", .usage)
        }
        guard let end else { return (lower, nil) }
        guard let upper = TimeExpression.timestamp(end, now: now, zone: zone) else {
            throw CommandFailure("\"\(end)\" is no time: expected \(TimeExpression.forms)", .usage)
        }
        guard lower < upper else { throw CommandFailure("the range is empty: it starts at \(lower.rfc3339) and ends at \(upper.rfc3339)", .usage) }
        return (lower, upper)
    }
}

/// A request to the API, put together parameter by parameter.
struct QueryTarget {
    private(set) var text: String
    private var hasParameters = false

    /// - Parameter path: Behind `/api/oriel/v1/`.
    init(_ path: String) {
        text = "/api/oriel/v1/" + path
    }

    mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        text += (hasParameters ? "&" : "?") + name + "=" + QueryTarget.encode(value)
        hasParameters = true
    }

    mutating func add(_ name: String, _ values: [String]) {
        for value in values { add(name, value) }
    }

    mutating func add(_ range: (start: Timestamp, end: Timestamp?)) {
        add("start", range.start.rfc3339)
        add("end", range.end?.rfc3339)
    }

    /// Percent-encodes all but RFC 3986's unreserved characters.
    static func encode(_ value: String) -> String {
        var text: [UInt8] = []
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.append(byte)
            default: text += [UInt8(ascii: "%"), Hexadecimal.digit(byte >> 4), Hexadecimal.digit(byte & 0xF)]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

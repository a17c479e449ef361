import FoundationEssentials
import Glibc

/// What is known about the terminal that standard output may be.
enum Terminal {
    static var isOutputTerminal: Bool { isatty(1) == 1 }

    /// Columns of the terminal; `nil` when standard output is none.
    static var width: Int? {
        guard isOutputTerminal else { return nil }
        if let columns = environment("COLUMNS").flatMap({ Int($0) }), columns > 0 { return columns }
        var size = winsize()
        // Safe: the structure is valid for the call.
        guard unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Whether output may be coloured: on a terminal that can, unless `NO_COLOR` is set.
    static var mayColour: Bool {
        isOutputTerminal && environment("NO_COLOR") == nil && environment("TERM") != "dumb"
    }

    /// A variable of the environment that is set and not empty.
    static func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// How lines look, once it is decided.
struct ConsoleStyle: Hashable, Sendable {
    var isPretty: Bool
    var usesColor: Bool

    init(isPretty: Bool, usesColor: Bool) {
        self.isPretty = isPretty
        self.usesColor = usesColor
    }

    /// - Parameters:
    ///   - usesColor: `nil` leaves it to the terminal and the variables: `NO_COLOR` (https://no-color.org), then `CLICOLOR_FORCE`, then `CLICOLOR`
    ///     (http://bixense.com/clicolors/), then `TERM`.
    ///   - environment: gives the value of a variable.
    init(form: ConsoleExporter.Form, usesColor: Bool?, isTerminal: Bool, environment: (String) -> String?) {
        isPretty = form == .pretty || (form == .auto && isTerminal)
        func variable(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        let isWanted: Bool
        if let usesColor {
            isWanted = usesColor
        } else if variable("NO_COLOR") != nil {
            isWanted = false
        } else if let force = variable("CLICOLOR_FORCE"), force != "0" {
            isWanted = true
        } else {
            isWanted = isTerminal && variable("CLICOLOR") != "0" && variable("TERM") != "dumb"
        }
        self.usesColor = isPretty && isWanted
    }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    static func variable(_ name: String) -> String? {
        // The text is copied at once.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

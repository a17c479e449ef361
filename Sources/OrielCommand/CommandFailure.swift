/// Why a command ends without success.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    let status: ExitStatus

    init(_ description: String, _ status: ExitStatus = .error) {
        self.description = description
        self.status = status
    }
}

/// What the process says to its caller.
enum ExitStatus: Int32 {
    case found = 0
    case error = 1
    case usage = 2
    case nothingFound = 3
}

/// A setting that cannot be used, with where it was given and what would be right.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// For example `/etc/oriel/oriel.yaml:3:9`, `ORIEL_LOG_LEVEL` or `--log-level`.
    public let place: String
    public let problem: String

    public var description: String { "\(place): \(problem)" }
}

/// A part of a YAML document with its place in the file.
struct YAMLNode: Sendable, Equatable {
    indirect enum Value: Sendable, Equatable {
        /// The text, and whether it stood without quotes (then `null` and `~` mean nothing).
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    struct Entry: Sendable, Equatable {
        var key: String
        var keyPosition: YAMLPosition
        var value: YAMLNode
    }

    var value: Value
    var position: YAMLPosition
}

/// A line and column, counted from one.
struct YAMLPosition: Sendable, Equatable, CustomStringConvertible {
    var line: Int
    var column: Int

    var description: String { "\(line):\(column)" }
}

/// A document that is not readable, with the place of the fault.
struct YAMLError: Error, Sendable, Equatable {
    var position: YAMLPosition
    var problem: String
}

import Foundation

/// What the command line asks for: `--endpoint http://127.0.0.1:4318 --threads 8 --seconds 60 --rate 0 --queue-bytes 16777216 --service emitter`.
struct Options {
    /// Where the telemetry goes: the base of an OTLP receiver.
    var endpoint = "http://127.0.0.1:4318"
    var threads = 8
    var seconds = 8.0
    /// Rounds of calls in a second and thread; 0 for as many as go.
    var rate = 0.0
    var queueBytes = 16 << 20
    var service = "emitter"

    init(_ arguments: [String]) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { Self.refuse("\(name) needs a value") }
            switch name {
            case "--endpoint": endpoint = value
            case "--threads": threads = Self.number(name, value)
            case "--seconds": seconds = Self.number(name, value)
            case "--rate": rate = Self.number(name, value)
            case "--queue-bytes": queueBytes = Self.number(name, value)
            case "--service": service = value
            default: Self.refuse("there is no option \(name)")
            }
        }
    }

    private static func number<Number: LosslessStringConvertible>(_ name: String, _ value: String) -> Number {
        guard let number = Number(value) else { refuse("\(name) \(value) is no number") }
        return number
    }

    private static func refuse(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("Emitter: \(reason)\n".utf8))
        exit(2)
    }
}

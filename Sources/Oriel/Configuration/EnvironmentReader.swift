#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif
import OrielTelemetry

/// Variables of an environment, by name.
struct EnvironmentVariables {
    /// The value of a variable; a variable that is set to nothing counts as not set, as OpenTelemetry demands.
    private let lookup: (String) -> String?

    init(_ values: [String: String]) {
        lookup = { values[$0] }
    }

    private init(lookup: @escaping (String) -> String?) {
        self.lookup = lookup
    }

    /// Those of this process, as they are at each reading.
    static var process: EnvironmentVariables {
        EnvironmentVariables { name in
            // The text is copied at once; C lets nobody read the environment safely while another thread changes it.
            guard let value = unsafe getenv(name) else { return nil }
            return unsafe String(cString: value)
        }
    }

    subscript(name: String) -> String? {
        guard let value = lookup(name)?.trimmingBlanks, !value.isEmpty else { return nil }
        return value
    }

    /// The first of some variables that is set.
    subscript(any names: String...) -> String? {
        for name in names {
            if let value = self[name] { return value }
        }
        return nil
    }
}

/// Reads settings from variables, and notes what cannot be understood.
struct EnvironmentReader {
    let variables: EnvironmentVariables
    private(set) var problems: [Oriel.Configuration.Problem] = []

    init(_ variables: EnvironmentVariables) {
        self.variables = variables
    }

    mutating func note(_ variable: String, _ value: String, expected: String, used: String) {
        let problem = Oriel.Configuration.Problem(variable: variable, value: value, expected: expected, used: used)
        // Some variables are read for several signals.
        if !problems.contains(problem) { problems.append(problem) }
    }

    /// One of a type's raw values, in any case.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ setting: inout Choice) where Choice.RawValue == String {
        setting = choice(name, used: setting.rawValue) ?? setting
    }

    /// One of a type's raw values, in any case; `nil` when there is none.
    ///
    /// - Parameter used: what is used instead.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, used: String) -> Choice? where Choice.RawValue == String {
        guard let value = variables[name] else { return nil }
        let choice = Choice(rawValue: value.lowercased())
        if choice == nil { note(name, value, expected: Choice.allCases.map(\.rawValue).joined(separator: ", "), used: used) }
        return choice
    }

    /// Only `true`, in any case, is true.
    mutating func boolean(_ name: String, _ setting: inout Bool) {
        guard let value = variables[name] else { return }
        switch value.lowercased() {
        case "true": setting = true
        case "false": setting = false
        default:
            setting = false
            note(name, value, expected: "true or false", used: "false")
        }
    }

    /// A whole number within bounds; whether there was one.
    @discardableResult
    mutating func integer(_ name: String, _ range: ClosedRange<Int>, _ setting: inout Int) -> Bool {
        guard let value = variables[name] else { return false }
        guard let number = Int(value), range.contains(number) else {
            let expected =
                range.upperBound == .max ? "a whole number from \(range.lowerBound)" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
            note(name, value, expected: expected, used: "\(setting)")
            return false
        }
        setting = number
        return true
    }

    /// A number of things, 1 at least; more than the limit are as many as the limit says, and told. `nil` when there is none.
    ///
    /// - Parameter standard: what is used instead of what is no number.
    mutating func count(_ name: String, limit: Int, standard: Int) -> Int? {
        guard let value = variables[name] else { return nil }
        let digits = value.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        // Digits that are no number are too many of them.
        let number = Int(value) ?? (digits ? .max : 0)
        if (1...limit).contains(number) { return number }
        note(name, value, expected: "a whole number from 1 to \(limit)", used: "\(number > limit ? limit : standard)")
        return number > limit ? limit : nil
    }

    /// A time in milliseconds.
    ///
    /// - Parameter zero: what 0 means; `nil` when it is not allowed.
    mutating func milliseconds(_ name: String, zero: Duration? = nil, _ setting: inout Duration) {
        guard let value = variables[name] else { return }
        // A day is longer than any of these is meant to be.
        if let number = Int(value), number > 0 || (number == 0 && zero != nil) {
            setting = number == 0 ? zero ?? setting : .milliseconds(min(number, 86_400_000))
        } else {
            let used = setting / .milliseconds(1)
            note(name, value, expected: "milliseconds, a whole number from \(zero == nil ? 1 : 0)", used: "\(Int(used))")
        }
    }

    /// A list with commas, without blanks and empty elements.
    func list(_ name: String) -> [String]? {
        variables[name].map { value in value.split(separator: ",").map { String($0).trimmingBlanks }.filter { !$0.isEmpty } }
    }
}

extension String {
    /// Without blanks and tabs at both ends.
    var trimmingBlanks: String {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let first = utf8.firstIndex(where: { !isBlank($0) }), let last = utf8.lastIndex(where: { !isBlank($0) }) else { return "" }
        return first == utf8.startIndex && utf8.index(after: last) == utf8.endIndex ? self : String(self[first...last])
    }

    /// With `%41` read as `A`; `nil` where a percent sign is not followed by two hexadecimal digits, or what comes out is no UTF-8.
    var percentDecoded: String? {
        guard utf8.contains(UInt8(ascii: "%")) else { return self }
        let source = Array(utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            guard source[index] == UInt8(ascii: "%") else {
                bytes.append(source[index])
                index += 1
                continue
            }
            guard index + 2 < source.count, let high = Hexadecimal.nibble(source[index + 1]), let low = Hexadecimal.nibble(source[index + 2]) else {
                return nil
            }
            bytes.append(high << 4 | low)
            index += 3
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

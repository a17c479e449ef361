import OrielTelemetry

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func text() -> String {
        let alphabet: [Character] = ["a", "b", "z", "0", " ", "\"", "\\", "\n", "\u{1}", "é", "日", "😀", "/"]
        return String((0..<Int.random(in: 0...12, using: &self)).map { _ in alphabet.randomElement(using: &self) ?? "a" })
    }

    mutating func attributeValue(depth: Int) -> AttributeValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &self) {
        case 0: return .empty
        case 1: return .string(text())
        case 2: return .bool(Bool.random(using: &self))
        case 3: return .int(Int64(bitPattern: next()))
        case 4: return .double(Double(bitPattern: next() & 0x7FEF_FFFF_FFFF_FFFF))
        case 5: return .bytes((0..<Int.random(in: 0...9, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) })
        case 6: return .array((0..<Int.random(in: 0...4, using: &self)).map { _ in attributeValue(depth: depth - 1) })
        default: return .map(attributes(Int.random(in: 0...4, using: &self), depth: depth - 1))
        }
    }

    /// Attributes of distinct keys.
    mutating func attributes(_ count: Int, depth: Int = 1) -> [Attribute] {
        (0..<count).map { Attribute("k\($0)" + text(), attributeValue(depth: depth)) }
    }
}

/// A small generator (splitmix64) whose whole sequence follows from its seed, so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Bytes that compress somewhat: runs, repeated words and noise.
    mutating func page(count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        let words = ["service", "checkout", "GET /cart", "\u{0}\u{0}\u{0}\u{0}", "error"]
        while bytes.count < count {
            switch Int.random(in: 0..<3, using: &self) {
            case 0: bytes += words.randomElement(using: &self)!.utf8
            case 1: bytes += [UInt8](repeating: UInt8.random(in: 0...255, using: &self), count: Int.random(in: 0..<40, using: &self))
            default: bytes.append(UInt8.random(in: 0...255, using: &self))
            }
        }
        return Array(bytes.prefix(count))
    }
}

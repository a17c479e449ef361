public import OrielTelemetry

/// The tokens of texts, by which engines skip data that cannot hold a text.
///
/// A token is a maximal run of ASCII letters, digits, `_` and bytes from 0x80 on (so all of a non-ASCII scalar), in the simple lower-case mapping of its scalars;
/// invalid UTF-8 counts as U+FFFD. The mapping never turns a token byte into another one, so that a text and its lower case have the same boundaries.
///
/// Hashes of tokens and values are stored in files: 64-bit FNV-1a, then a finalizer of two multiplications.
public enum TextTokens {
    /// For each byte its ASCII lower case when it belongs to a token, else 0.
    static let classes: [UInt8] = (0..<256).map { value in
        let byte = UInt8(value)
        switch byte {
        case 0x41...0x5A: return byte | 0x20
        case 0x61...0x7A, 0x30...0x39, 0x5F, 0x80...0xFF: return byte
        default: return 0
        }
    }

    @inline(__always)
    static func contains(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == 0x5F || byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26
    }

    static let basis: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    /// Never 0.
    @inline(__always)
    static func finish(_ hash: UInt64) -> UInt64 {
        var hash = (hash ^ (hash &>> 32)) &* 0x9FB2_1C65_1E98_DF25
        hash = (hash ^ (hash &>> 29)) &* 0xD6E8_FEB8_6659_FD93
        hash ^= hash &>> 32
        return hash == 0 ? 1 : hash
    }

    /// The hash of a whole value, as it is.
    ///
    /// Complexity: O(*n*).
    public static func hash(value: Span<UInt8>) -> UInt64 {
        var hash = basis
        for index in value.indices { hash = step(hash, value[index]) }
        return finish(hash)
    }

    /// The hash of a key with a value.
    public static func hash(key: Span<UInt8>, value: Span<UInt8>) -> UInt64 {
        var hash = basis
        for index in key.indices { hash = step(hash, key[index]) }
        // No byte of UTF-8, so that no other pair gives the same sequence.
        hash = step(hash, 0xFF)
        for index in value.indices { hash = step(hash, value[index]) }
        return finish(hash)
    }

    /// The hash of one token in any case.
    static func hash(token: Span<UInt8>) -> UInt64 {
        let lowered = TextSearch.lowercased(String(repairing: token))
        return hash(value: lowered.span)
    }

    /// Calls `body` with each token of a text: where it lies, whether it is ASCII, and the hash of its bytes in ASCII lower case, which is the token's own if it is
    /// ASCII.
    @inline(__always)
    static func forEach(in text: Span<UInt8>, _ body: (_ range: Range<Int>, _ isASCII: Bool, _ hash: UInt64) -> Void) {
        let classes = classes.span
        let count = text.count
        var index = 0
        while index < count {
            // A byte is a valid index into the 256 classes.
            var byte = unsafe classes[unchecked: Int(text[index])]
            if byte == 0 {
                index &+= 1
                continue
            }
            let start = index
            var hash = basis
            var union: UInt8 = 0
            repeat {
                union |= byte
                hash = step(hash, byte)
                index &+= 1
                if index == count { break }
                byte = unsafe classes[unchecked: Int(text[index])]
            } while byte != 0
            body(start..<index, union < 0x80, finish(hash))
        }
    }
}

/// Collects the distinct hashes of tokens and of values.
public struct DistinctHashes: Sendable {
    /// Of tokens in lower case.
    private var folded = HashTable()
    /// Of tokens that are not ASCII, before their scalars are mapped: the mapping is slow, and done once for each.
    private var raw = HashTable()

    public init() {}

    public var count: Int { folded.count }

    /// Adds a hash.
    public mutating func add(hash: UInt64) {
        folded.insert(hash)
    }

    /// Adds the tokens of a text.
    ///
    /// Complexity: O(*n*); distinct tokens that are not ASCII cost a mapping of each scalar.
    public mutating func add(_ text: Span<UInt8>) {
        TextTokens.forEach(in: text) { range, isASCII, hash in
            if isASCII {
                folded.insert(hash)
            } else if raw.insert(hash) {
                folded.insert(TextTokens.hash(token: text.extracting(range)))
            }
        }
    }

    /// Adds the tokens of all texts in a value.
    public mutating func add(_ value: AttributeValue) {
        switch value {
        case .string(let text):
            let bytes = Array(text.utf8)
            add(bytes.span)
        case .array(let elements): for element in elements { add(element) }
        case .map(let attributes): for attribute in attributes { add(attribute.value) }
        case .empty, .bool, .int, .double, .bytes: break
        }
    }

    /// All hashes, in no order.
    public var hashes: [UInt64] { folded.hashes }

    public mutating func removeAll() {
        folded.removeAll()
        raw.removeAll()
    }
}

/// A set of well mixed hashes other than 0: open addressing without hashing again.
struct HashTable: Sendable {
    private var slots: [UInt64] = []
    private(set) var count = 0

    /// Whether it is new.
    @inline(__always)
    @discardableResult
    mutating func insert(_ hash: UInt64) -> Bool {
        if (count &+ 1) &* 2 > slots.count { grow() }
        let mask = slots.count &- 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            if slots[slot] == hash { return false }
            slot = (slot &+ 1) & mask
        }
        slots[slot] = hash
        count &+= 1
        return true
    }

    var hashes: [UInt64] { slots.filter { $0 != 0 } }

    mutating func removeAll() {
        slots = []
        count = 0
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: 0, count: max(64, old.count * 2))
        let mask = slots.count - 1
        for hash in old where hash != 0 {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = hash
        }
    }
}

/// SHA-256 (FIPS 180-4), for a few hundred bytes now and then: the client has no library of cryptography where it is built without TLS.
enum SHA256 {
    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = primes(64).map { fraction(of: $0, root: 3) }
    /// The same of the square roots of the first 8 primes.
    private static let start: [UInt32] = primes(8).map { fraction(of: $0, root: 2) }

    /// The 32 bytes of the hash.
    static func digest(_ message: [UInt8]) -> [UInt8] {
        var bytes = message + [0x80]
        while bytes.count % 64 != 56 { bytes.append(0) }
        let bits = UInt64(message.count) * 8
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift))) }
        var hash = start
        for block in stride(from: 0, to: bytes.count, by: 64) { take(bytes[block..<(block + 64)], into: &hash) }
        return hash.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } }
    }

    private static func take(_ block: ArraySlice<UInt8>, into hash: inout [UInt32]) {
        var words = stride(from: block.startIndex, to: block.endIndex, by: 4).map { place in
            block[place..<(place + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        for index in 16..<64 {
            let (early, late) = (words[index - 15], words[index - 2])
            let first = rotated(early, 7) ^ rotated(early, 18) ^ early >> 3
            let second = rotated(late, 17) ^ rotated(late, 19) ^ late >> 10
            words.append(words[index - 16] &+ first &+ words[index - 7] &+ second)
        }
        // The letters a to h of the standard, in this order.
        var letters = hash
        for index in 0..<64 {
            let (a, e) = (letters[0], letters[4])
            let choice = e & letters[5] ^ ~e & letters[6]
            let majority = a & letters[1] ^ a & letters[2] ^ letters[1] & letters[2]
            let first = letters[7] &+ (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) &+ choice &+ constants[index] &+ words[index]
            let second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ majority
            letters.removeLast()
            letters[3] &+= first
            letters.insert(first &+ second, at: 0)
        }
        for index in hash.indices { hash[index] &+= letters[index] }
    }

    private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }

    private static func primes(_ count: Int) -> [UInt64] {
        var found: [UInt64] = []
        var candidate: UInt64 = 2
        while found.count < count {
            if found.allSatisfy({ candidate % $0 != 0 }) { found.append(candidate) }
            candidate += 1
        }
        return found
    }

    /// The first 32 bits of the fractional part of a root, found bit by bit: the largest number whose power is not above the prime's, both scaled by 2^32.
    private static func fraction(of prime: UInt64, root: Int) -> UInt32 {
        let target = UInt128(prime) << UInt128(32 * root)
        var result: UInt128 = 0
        for bit in stride(from: 36, through: 0, by: -1) {
            let candidate = result | 1 << UInt128(bit)
            let power = root == 2 ? candidate * candidate : candidate * candidate * candidate
            if power <= target { result = candidate }
        }
        return UInt32(truncatingIfNeeded: result)
    }
}

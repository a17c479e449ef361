/// Doubles as decimal integers with one exponent: value = mantissa / 10^exponent, exact to the last bit.
///
/// What people measure is short in decimal, so the mantissas are small integers that pack well. Each value is checked by doing the division
/// again; those that do not come back bit for bit (true binary fractions, NaNs with their payloads, infinities, -0.0) are listed beside.
enum DecimalDoubles {
    /// 10^22 is the largest power of ten that a double holds exactly, which the correctly rounded division rests on.
    static let maximumExponent = 22

    static let powers: [Double] = {
        var powers: [Double] = [1]
        for _ in 0..<maximumExponent { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// The mantissa that stands for exactly `value` at `power` = 10^exponent, or nil.
    @inline(__always)
    static func mantissa(_ value: Double, power: Double) -> Int64? {
        let scaled = (value * power).rounded(.toNearestOrEven)
        // Also false for NaN. 2^63 itself is out of range.
        guard scaled.magnitude < 0x1p63 else { return nil }
        let mantissa = Int64(scaled)
        return (Double(mantissa) / power).bitPattern == value.bitPattern ? mantissa : nil
    }

    /// The least exponent at which a sample of the values is exact, or nil if too few are short decimals.
    static func exponent(for values: Span<Double>) -> Int? {
        let count = values.count
        guard count > 0 else { return 0 }
        let step = max(1, count / 32)
        var exponent = 0
        var misses = 0
        var seen = 0
        var index = 0
        while index < count {
            let value = values[index]
            seen += 1
            var candidate = exponent
            while candidate <= maximumExponent, mantissa(value, power: powers[candidate]) == nil { candidate += 1 }
            if candidate > maximumExponent { misses += 1 } else { exponent = max(exponent, candidate) }
            index += step
        }
        return misses * 8 <= seen || seen <= 4 ? exponent : nil
    }

    /// Turns `values` into mantissas and the list of exceptions, whose mantissa repeats the one before. False if more than an eighth are exceptions.
    static func encode(
        _ values: Span<Double>, exponent: Int, mantissas: inout [Int64], exceptionRows: inout [Int64], exceptions: inout [UInt64]
    ) -> Bool {
        mantissas.removeAll(keepingCapacity: true)
        exceptionRows.removeAll(keepingCapacity: true)
        exceptions.removeAll(keepingCapacity: true)
        mantissas.reserveCapacity(values.count)
        let power = powers[exponent]
        let limit = values.count / 8 + 1
        var last: Int64 = 0
        for index in values.indices {
            if let mantissa = mantissa(values[index], power: power) {
                last = mantissa
            } else {
                exceptionRows.append(Int64(index))
                exceptions.append(values[index].bitPattern)
                if exceptions.count > limit { return false }
            }
            mantissas.append(last)
        }
        return true
    }
}

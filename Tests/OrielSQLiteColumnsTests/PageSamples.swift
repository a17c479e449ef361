import OrielTelemetry

/// Distributions that real and hostile data have, each from a seed.
enum PageSamples {
    static let counts = [0, 1, 2, 3, 127, 128, 129, 255, 256, 1000, 8192]

    static func integers(_ kind: Int, count: Int, using random: inout Seeded) -> [Int64] {
        var value = Int64(bitPattern: random.next())
        return (0..<count).map { index in
            switch kind {
            case 0: return 42
            case 1: return Int64(bitPattern: random.next())
            case 2: return Int64(random.below(3))
            case 3: return 1_700_000_000_000 + Int64(index) * 15_000
            case 4: return 1_700_000_000_000 + Int64(index) * 15_000 + Int64(random.below(8))
            case 5: return [Int64.min, .max, 0, -1][random.below(4)]
            case 6:
                value &+= Int64(random.below(1_000_000_000))
                return value
            case 7: return [200, 200, 200, 404, 500, 302][random.below(6)]
            case 8: return Int64(index) * Int64(index) * 3
            case 9: return random.chance(2) ? Int64(bitPattern: random.next()) : 7
            default: return -Int64(random.below(1 << random.below(40)))
            }
        }
    }

    static func doubles(_ kind: Int, count: Int, using random: inout Seeded) -> [Double] {
        let odd: [UInt64] = [
            Double.staleMarker.bitPattern, 0x7ff8_0000_0000_0001, 0xfff0_dead_beef_0001, Double.infinity.bitPattern, (-Double.infinity).bitPattern,
            (-0.0).bitPattern, 1, Double.greatestFiniteMagnitude.bitPattern,
        ]
        return (0..<count).map { index in
            switch kind {
            case 0: return 0
            case 1: return Double(bitPattern: random.next())
            case 2: return Double(random.below(100_000)) / 100
            case 3: return Double(index) * 0.1
            case 4: return Double(bitPattern: odd[random.below(odd.count)])
            case 5: return random.chance(5) ? Double(bitPattern: odd[random.below(odd.count)]) : Double(random.below(1000)) / 8
            case 6: return Double(1 << random.below(60)) * 16
            case 7: return Double.random(in: 0..<1, using: &random)
            default: return index + 1 == count ? .staleMarker : 12.5
            }
        }
    }

    static func strings(_ kind: Int, count: Int, using random: inout Seeded) -> ByteColumn {
        var column = ByteColumn()
        for index in 0..<count {
            switch kind {
            case 0: column.appendEmpty()
            case 1: column.append("GET /api/v1/orders/\(random.below(20))")
            case 2: column.append((0..<random.below(40)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            case 3: column.append("request \(index) done in \(random.below(5000)) ms by user-\(random.next())")
            case 4: column.append([UInt8](repeating: 0xff, count: random.below(4)))
            default: column.append([UInt8](repeating: 97, count: random.chance(1) ? 100_000 : 3))
            }
        }
        return column
    }

    /// A bitmap in which about `percent` of the rows are set, and how many are.
    static func bitmap(rows: Int, percent: Int, using random: inout Seeded) -> (bitmap: [UInt64], present: Int) {
        var bitmap = [UInt64](repeating: 0, count: (rows + 63) / 64)
        var present = 0
        for row in 0..<rows where random.chance(percent) {
            bitmap[row / 64] |= 1 << UInt64(row % 64)
            present += 1
        }
        return (bitmap, present)
    }
}

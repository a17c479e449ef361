import OrielOTLP
import OrielTelemetry

/// Numbers as both text formats write them.
enum NumberText {
    /// The shortest digits that read back as the same double; whole numbers without a point.
    static func append(_ value: Double, to bytes: inout [UInt8]) {
        if value.magnitude < 0x1p53, value == value.rounded(.towardZero), !(value == 0 && value.sign == .minus) {
            append(Int64(value), to: &bytes)
        } else {
            appendCanonical(value, to: &bytes)
        }
    }

    /// The bound of a bucket as series of OTLP histograms have it in their label `le`: never with an exponent.
    static func appendBound(_ value: Double, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: value.plainDecimal.utf8)
    }

    /// As ``append(_:to:)-(Double,_)``, but whole numbers keep a point, as OpenMetrics demands of the label `le`.
    static func appendCanonical(_ value: Double, to bytes: inout [UInt8]) {
        if value.isNaN {
            bytes.append(contentsOf: "NaN".utf8)
        } else if value.isInfinite {
            bytes.append(contentsOf: (value < 0 ? "-Inf" : "+Inf").utf8)
        } else {
            // The standard library's description is the shortest that round-trips.
            bytes.append(contentsOf: value.description.utf8)
        }
    }

    static func append(_ value: Int64, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        append(value.magnitude, to: &bytes)
    }

    static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        let start = bytes.count
        var rest = value
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// Seconds with as many decimals as the nanoseconds need: `1720000000.25`.
    static func appendSeconds(_ time: Timestamp, to bytes: inout [UInt8]) {
        if time.nanoseconds < 0 { bytes.append(UInt8(ascii: "-")) }
        let (seconds, nanoseconds) = time.nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        append(seconds, to: &bytes)
        guard nanoseconds > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        var digit: UInt64 = 100_000_000
        var rest = nanoseconds
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / digit))
            rest %= digit
            digit /= 10
        }
    }
}

import OrielTelemetry

extension Oriel {
    /// The rejection threshold of OpenTelemetry's consistent probability sampling: a trace is kept when its 56 bits of randomness are not below it.
    ///
    /// It is told as `ot=th:c` in the `tracestate` of what was kept: hexadecimal digits, zeros at the end left out. One span with a threshold stands for ``weight`` spans.
    public struct SamplingThreshold: Hashable, Comparable, Sendable {
        /// From 0, which keeps everything, to below 2^56.
        public let value: UInt64
        /// A `tracestate` with nothing else in it.
        let traceState: String

        /// One more than the largest randomness.
        static let range: UInt64 = 1 << 56
        /// The digits of 56 bits.
        private static let digits = 14
        /// Digits that count, besides those at the beginning that are all zero or all f.
        private static let precision = 4

        /// - Parameter value: 2^56 and more become the largest threshold.
        public init(value: UInt64) {
            self.value = min(value, Self.range - 1)
            traceState = "ot=th:" + Self.text(self.value)
        }

        /// The threshold that keeps this part of all traces, to four digits that count; `nil` for none of them: zero and less, and what is no number.
        public init?(ratio: Double) {
            guard ratio > 0 else { return nil }
            guard ratio < 1 else {
                self.init(value: 0)
                return
            }
            let exact = Self.range - min(max(UInt64((ratio * Double(Self.range)).rounded()), 1), Self.range)
            self.init(value: Self.rounded(exact))
        }

        /// Keeps everything.
        public static let always = SamplingThreshold(value: 0)

        /// The part of all traces that are kept.
        public var ratio: Double { Double(Self.range - value) / Double(Self.range) }
        /// How many spans one that was kept stands for.
        public var weight: Double { 1 / ratio }

        /// Whether a trace of this randomness is kept.
        public func keeps(_ randomness: UInt64) -> Bool { randomness >= value }

        public static func < (left: SamplingThreshold, right: SamplingThreshold) -> Bool { left.value < right.value }

        // MARK: Text

        /// Reads 1 to 14 lower-case hexadecimal digits, the first ones of fourteen.
        init?(text: ArraySlice<UInt8>) {
            guard let value = UInt64(lowerHexadecimal: text), text.count <= Self.digits else { return nil }
            self.init(value: value << UInt64(4 * (Self.digits - text.count)))
        }

        private static func text(_ value: UInt64) -> String {
            var rest = value
            var digits = Self.digits
            while digits > 1, rest & 0xF == 0 {
                rest >>= 4
                digits -= 1
            }
            let text = String(rest, radix: 16)
            return String(repeating: "0", count: digits - text.utf8.count) + text
        }

        private static func rounded(_ value: UInt64) -> UInt64 {
            var leading = 0
            let first = value >> 52
            guard first == 0 || first == 0xF else { return rounded(value, digits: precision) }
            while leading < digits, (value >> UInt64(52 - 4 * leading)) & 0xF == first { leading += 1 }
            return rounded(value, digits: leading + precision)
        }

        private static func rounded(_ value: UInt64, digits: Int) -> UInt64 {
            guard digits < Self.digits else { return value }
            let unit: UInt64 = 1 << UInt64(4 * (Self.digits - digits))
            let rounded = (value + unit / 2) / unit * unit
            return rounded < range ? rounded : value
        }
    }
}

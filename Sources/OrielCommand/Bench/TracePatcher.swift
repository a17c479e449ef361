import OrielTelemetry

/// Writes the values of one request into the places of a template. The same seed and trace number give the same ids, whichever signal they are for.
struct TracePatcher: Sendable {
    let seed: UInt64
    /// How many different users there are.
    var users: UInt64 = 100_000

    /// The identifier of a trace by its number.
    func traceID(_ number: UInt64) -> TraceID {
        TraceID(high: SeededRandom.mixed(seed ^ (number &* 2 &+ 1)), low: SeededRandom.mixed(seed &+ 0x5151 ^ (number &* 2 &+ 2)))
    }

    /// The identifier of the span at `index` of a trace.
    func spanID(_ number: UInt64, index: UInt64) -> SpanID {
        SpanID(rawValue: SeededRandom.mixed(seed &+ 0xA7A7 ^ (number &* 16 &+ index)))
    }

    /// Patches `body`, the bytes of `template`.
    ///
    /// - Parameters:
    ///   - firstTrace: The number of the request's first trace; the others follow.
    ///   - start: When the earliest trace of the request may start, in nanoseconds.
    ///   - spread: Over how many nanoseconds the starts are spread.
    func patch(_ body: inout [UInt8], _ patches: [Patch], firstTrace: UInt64, start: Int64, spread: UInt64) {
        var values = TraceValues(patcher: self, number: firstTrace, start: start, spread: spread)
        for patch in patches {
            let number = firstTrace &+ UInt64(patch.trace)
            if number != values.number { values = TraceValues(patcher: self, number: number, start: start, spread: spread) }
            switch patch.kind {
            case .traceID:
                body.store(values.id.high.byteSwapped, at: patch.offset)
                body.store(values.id.low.byteSwapped, at: patch.offset + 8)
            case .spanID:
                body.store(spanID(number, index: UInt64(patch.argument)).rawValue.byteSwapped, at: patch.offset)
            case .time:
                let offset = Int64(Double(patch.argument) * values.stretch)
                body.store(UInt64(bitPattern: values.start &+ offset), at: patch.offset)
            case .user:
                body.storeDigits(values.user, at: patch.offset, width: Int(patch.width))
            case .order:
                body.storeDigits(number, at: patch.offset, width: Int(patch.width))
            case .number:
                body.storeDigits(SeededRandom.mixed(number ^ UInt64(patch.offset) << 32), at: patch.offset, width: Int(patch.width))
            }
        }
    }
}

/// What all places of one trace share.
private struct TraceValues {
    let number: UInt64
    let id: TraceID
    let start: Int64
    /// By how much this trace is slower than its template.
    let stretch: Double
    let user: UInt64

    init(patcher: TracePatcher, number: UInt64, start: Int64, spread: UInt64) {
        self.number = number
        id = patcher.traceID(number)
        self.start = start &+ Int64(id.low % max(spread, 1))
        stretch = 0.5 + Double(id.high >> 11) * 0x1p-53
        let fraction = Double(SeededRandom.mixed(id.low) >> 11) * 0x1p-53
        user = UInt64(fraction * fraction * Double(patcher.users))
    }
}

extension [UInt8] {
    /// Writes eight bytes, least significant first. The place must lie within the array.
    mutating func store(_ value: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset + 8 <= count)
        // Safe: the range was checked above, and bytes may be stored at any address.
        unsafe withUnsafeMutableBytes { unsafe $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self) }
    }

    /// Writes the last `width` decimal digits of a number. The place must lie within the array.
    mutating func storeDigits(_ value: UInt64, at offset: Int, width: Int) {
        var value = value
        var index = offset + width
        while index > offset {
            index -= 1
            self[index] = UInt8(ascii: "0") + UInt8(value % 10)
            value /= 10
        }
    }
}

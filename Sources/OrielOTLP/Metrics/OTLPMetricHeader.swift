import OrielTelemetry

/// What a `Metric` says besides its points, read before them since fields may come in any order.
struct OTLPMetricHeader {
    var name = 0..<0
    var description = 0..<0
    var unit = 0..<0
    /// `nil` for a metric without data.
    var data: Data?

    struct Data {
        /// The contents of the data message, usually one; pieces of one kind are merged, of two kinds the last counts.
        var parts: [Range<Int>]
        var kind: Kind
        var temporality: UInt64 = 0
        var isMonotonic = false

        /// Raw values are the field numbers of `Metric`.
        enum Kind: UInt8 {
            case gauge = 5
            case sum = 7
            case histogram = 9
            case exponentialHistogram = 10
            case summary = 11
        }

        var namingKind: MetricNaming.Kind {
            switch kind {
            case .gauge: .gauge
            case .sum where isMonotonic: .counter
            default: .other
            }
        }

        var familyKind: MetricFamily.Kind {
            switch kind {
            case .gauge: .gauge
            case .sum: isMonotonic ? .counter : .gauge
            case .histogram, .exponentialHistogram: .histogram
            case .summary: .summary
            }
        }
    }

    init(_ content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while let tag = try reader.nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3 | 2: name = try reader.lengthDelimited(in: bytes)
            case 2 << 3 | 2: description = try reader.lengthDelimited(in: bytes)
            case 3 << 3 | 2: unit = try reader.lengthDelimited(in: bytes)
            case 5 << 3 | 2, 7 << 3 | 2, 9 << 3 | 2, 10 << 3 | 2, 11 << 3 | 2:
                let part = try reader.lengthDelimited(in: bytes)
                // Exactly these numbers are raw values.
                guard let kind = Data.Kind(rawValue: UInt8(tag.number)) else { continue }
                if data?.kind == kind { data?.parts.append(part) } else { data = Data(parts: [part], kind: kind) }
            case 12 << 3 | 2: _ = try reader.lengthDelimited(in: bytes)
            default:
                guard ![1, 2, 3, 5, 7, 9, 10, 11, 12].contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try reader.skip(tag, in: bytes)
            }
        }
        guard var data, data.kind != .gauge, data.kind != .summary else { return }
        for part in data.parts {
            var reader = WireReader(start: part.lowerBound, end: part.upperBound)
            while let tag = try reader.nextTag(in: bytes) {
                switch tag.rawValue {
                case 2 << 3: data.temporality = try reader.varint(in: bytes)
                case 3 << 3 where data.kind == .sum: data.isMonotonic = try reader.varint(in: bytes) != 0
                default:
                    guard tag.number != 2, tag.number != 3 || data.kind != .sum else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                    try reader.skip(tag, in: bytes)
                }
            }
        }
        self.data = data
    }
}

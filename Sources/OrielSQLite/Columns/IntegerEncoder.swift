import OrielTelemetry

/// How a section of integers is laid out. The section is followed by whatever comes next; its length follows from its content.
///
/// ```
/// section   scheme, then
///           constant   zigzag value
///           groups     per group of 128: head, zigzag base (difference to the base of the group before) and what the form adds;
///                      then the packed bits of all groups, each from a byte boundary
///           planes     zigzag first value, plane count, then that many planes: byte 0 of all values, byte 1 of all values, …
/// head      form * 65 + width in bits
/// ```
/// All differences wrap around at 64 bits, so every input has an encoding.
enum IntegerScheme: UInt8 {
    case constant = 0
    case groups = 1
    /// The zigzag folded difference of each value to the one before, as byte planes. It only pays under zstd.
    case planes = 2
}

/// The three forms of a packed group.
enum IntegerForm: UInt8 {
    /// base = least value; bits hold value - base.
    case frameOfReference = 0
    /// base = first value, then the least difference; bits hold difference - least.
    case delta = 1
    /// base = first value, first difference, then the least change of difference; bits hold change - least.
    case deltaOfDelta = 2

    static let count: UInt8 = 3
}

/// Encodes integer sections. It keeps its scratch space from call to call.
struct IntegerEncoder {
    private var scratch: [UInt64] = []
    private var forms: [IntegerForm] = []
    private var widths: [UInt8] = []
    private var offsets: [Int64] = []

    /// Appends `values` as a constant or as packed groups, each group in its smallest form. One pass to choose and one to pack.
    mutating func append(_ values: Span<Int64>, to bytes: inout [UInt8]) {
        if let constant = Self.constant(values) {
            bytes.append(IntegerScheme.constant.rawValue)
            bytes.append(zigzag: constant)
            return
        }
        bytes.append(IntegerScheme.groups.rawValue)
        let groups = (values.count + BitPacking.groupSize - 1) / BitPacking.groupSize
        forms.removeAll(keepingCapacity: true)
        widths.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        var previousBase: Int64 = 0
        for group in 0..<groups {
            let range = (group * BitPacking.groupSize)..<min((group + 1) * BitPacking.groupSize, values.count)
            appendHead(of: values.extracting(range), previousBase: &previousBase, to: &bytes)
        }
        for group in 0..<groups {
            let range = (group * BitPacking.groupSize)..<min((group + 1) * BitPacking.groupSize, values.count)
            pack(values.extracting(range), form: forms[group], width: Int(widths[group]), least: offsets[group], to: &bytes)
        }
    }

    /// Appends `values` as the other form of this does.
    mutating func append(_ values: [Int64], to bytes: inout [UInt8]) {
        append(values.span, to: &bytes)
    }

    /// Appends `values` as byte planes of their folded differences.
    mutating func appendPlanes(_ values: Span<Int64>, to bytes: inout [UInt8]) {
        bytes.append(IntegerScheme.planes.rawValue)
        let count = values.count
        let first = count > 0 ? values[0] : 0
        bytes.append(zigzag: first)
        scratch.removeAll(keepingCapacity: true)
        scratch.reserveCapacity(count)
        var previous = first
        var all: UInt64 = 0
        for index in 0..<count {
            let folded = (values[index] &- previous).zigzag
            previous = values[index]
            all |= folded
            scratch.append(folded)
        }
        let planes = (BitPacking.width(of: all) + 7) >> 3
        bytes.append(UInt8(planes))
        for plane in 0..<planes {
            let shift = UInt64(plane * 8)
            bytes.append(addingCapacity: count) { output in
                for value in scratch { output.append(UInt8(truncatingIfNeeded: value >> shift)) }
            }
        }
    }

    /// The value that all of `values` equal, 0 if there is none.
    private static func constant(_ values: Span<Int64>) -> Int64? {
        guard !values.isEmpty else { return 0 }
        let first = values[0]
        for index in 1..<max(values.count, 1) where values[index] != first { return nil }
        return first
    }

    private mutating func appendHead(of values: Span<Int64>, previousBase: inout Int64, to bytes: inout [UInt8]) {
        let count = values.count
        let first = values[0]
        var least = first
        var greatest = first
        var leastDelta = Int64.max
        var greatestDelta = Int64.min
        var leastChange = Int64.max
        var greatestChange = Int64.min
        var previous = first
        var previousDelta: Int64 = 0
        for index in 1..<max(count, 1) {
            let value = values[index]
            let delta = value &- previous
            least = min(least, value)
            greatest = max(greatest, value)
            leastDelta = min(leastDelta, delta)
            greatestDelta = max(greatestDelta, delta)
            if index > 1 {
                let change = delta &- previousDelta
                leastChange = min(leastChange, change)
                greatestChange = max(greatestChange, change)
            }
            previous = value
            previousDelta = delta
        }
        let plainWidth = Self.width(from: least, to: greatest)
        let deltaWidth = count > 1 ? Self.width(from: leastDelta, to: greatestDelta) : 64
        let changeWidth = count > 2 ? Self.width(from: leastChange, to: greatestChange) : 64
        // The base costs about the same in each form, so only what differs is compared.
        let plainCost = plainWidth * count
        let deltaCost = deltaWidth * count + 8 * Self.size(leastDelta)
        let changeCost =
            changeWidth * count + 8 * (Self.size(count > 1 ? values[1] &- first : 0) + Self.size(leastChange))
        if plainCost <= deltaCost, plainCost <= changeCost {
            record(.frameOfReference, plainWidth, least)
            bytes.append(IntegerForm.frameOfReference.rawValue * 65 + UInt8(plainWidth))
            bytes.append(zigzag: least &- previousBase)
            previousBase = least
        } else if deltaCost <= changeCost {
            record(.delta, deltaWidth, leastDelta)
            bytes.append(IntegerForm.delta.rawValue * 65 + UInt8(deltaWidth))
            bytes.append(zigzag: first &- previousBase)
            bytes.append(zigzag: leastDelta)
            previousBase = first
        } else {
            record(.deltaOfDelta, changeWidth, leastChange)
            bytes.append(IntegerForm.deltaOfDelta.rawValue * 65 + UInt8(changeWidth))
            bytes.append(zigzag: first &- previousBase)
            bytes.append(zigzag: values[1] &- first)
            bytes.append(zigzag: leastChange)
            previousBase = first
        }
    }

    private mutating func record(_ form: IntegerForm, _ width: Int, _ least: Int64) {
        forms.append(form)
        widths.append(UInt8(width))
        offsets.append(least)
    }

    private mutating func pack(_ values: Span<Int64>, form: IntegerForm, width: Int, least: Int64, to bytes: inout [UInt8]) {
        guard width > 0 else { return }
        scratch.removeAll(keepingCapacity: true)
        let count = values.count
        switch form {
        case .frameOfReference:
            for index in 0..<count { scratch.append(UInt64(bitPattern: values[index] &- least)) }
        case .delta:
            scratch.append(0)
            var previous = values[0]
            for index in 1..<count {
                let value = values[index]
                scratch.append(UInt64(bitPattern: value &- previous &- least))
                previous = value
            }
        case .deltaOfDelta:
            scratch.append(0)
            scratch.append(0)
            var previous = values[1]
            var delta = values[1] &- values[0]
            for index in 2..<count {
                let value = values[index]
                let next = value &- previous
                scratch.append(UInt64(bitPattern: next &- delta &- least))
                delta = next
                previous = value
            }
        }
        BitPacking.pack(scratch.span, width: width, into: &bytes)
    }

    private static func width(from least: Int64, to greatest: Int64) -> Int {
        BitPacking.width(of: UInt64(bitPattern: greatest &- least))
    }

    private static func size(_ value: Int64) -> Int {
        max(1, (BitPacking.width(of: value.zigzag) + 6) / 7)
    }
}

public import OrielTelemetry

/// A number as it was stored.
public enum NumericValue: Hashable, Sendable {
    case int(Int64)
    case double(Double)

    /// The number of an attribute value; `nil` for other types and for stale markers.
    public init?(_ value: AttributeValue) {
        switch value {
        case .int(let number): self = .int(number)
        case .double(let number) where !number.isStaleMarker: self = .double(number)
        default: return nil
        }
    }

    public var double: Double {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        }
    }
}

/// A sum that does not depend on the order in which integers were added: they are summed in 128 bits, doubles apart from them and as doubles are (so that their sum may
/// differ in the last bits from one order to another).
public struct NumericSum: Hashable, Sendable {
    public var integers: Int128 = 0
    public var doubles = 0.0
    public var hasIntegers = false
    public var hasDoubles = false

    public init() {}

    @inline(__always)
    public mutating func add(_ number: Int64) {
        integers &+= Int128(number)
        hasIntegers = true
    }

    @inline(__always)
    public mutating func add(_ number: Double) {
        doubles += number
        hasDoubles = true
    }

    public mutating func merge(_ other: NumericSum) {
        integers &+= other.integers
        doubles += other.doubles
        hasIntegers = hasIntegers || other.hasIntegers
        hasDoubles = hasDoubles || other.hasDoubles
    }

    /// An integer when only integers were added and 64 bits hold their sum, else a double; `nil` when nothing was added.
    public var value: NumericValue? {
        if hasDoubles { return .double(Double(integers) + doubles) }
        guard hasIntegers else { return nil }
        return Int64(exactly: integers).map { .int($0) } ?? .double(Double(integers))
    }
}

/// The least or the greatest of some numbers, integers and doubles apart.
public struct NumericExtreme: Hashable, Sendable {
    public let isMinimum: Bool
    public private(set) var integer: Int64?
    /// NaN only when all doubles were.
    public private(set) var double: Double?

    public init(isMinimum: Bool) {
        self.isMinimum = isMinimum
    }

    @inline(__always)
    public mutating func add(_ number: Int64) {
        guard let integer else {
            self.integer = number
            return
        }
        if isMinimum ? number < integer : number > integer { self.integer = number }
    }

    @inline(__always)
    public mutating func add(_ number: Double) {
        guard let double, !double.isNaN else {
            if double == nil || !number.isNaN { self.double = number }
            return
        }
        if isMinimum ? number < double : number > double { self.double = number }
    }

    public mutating func merge(_ other: NumericExtreme) {
        if let integer = other.integer { add(integer) }
        if let double = other.double { add(double) }
    }

    /// Compared exactly, also where an integer has no double; of equal numbers the integer. `nil` when there were none.
    public var value: NumericValue? {
        guard let integer else { return double.map { .double($0) } }
        guard let double, !double.isNaN else { return .int(integer) }
        let isLess: Bool
        if double >= 0x1p63 {
            isLess = false
        } else if double < -0x1p63 {
            isLess = true
        } else {
            // Where the whole part equals the integer, a fraction decides.
            let whole = Int64(double.rounded(.down))
            isLess = whole < integer
            if whole == integer, double == double.rounded(.down) { return .int(integer) }
        }
        return isLess == isMinimum ? .double(double) : .int(integer)
    }
}

/// A number with the place of its row, for the first or last of a group.
public struct TimedValue: Hashable, Sendable {
    public var position: ScanPosition
    public var value: NumericValue

    public init(position: ScanPosition, value: NumericValue) {
        self.position = position
        self.value = value
    }
}

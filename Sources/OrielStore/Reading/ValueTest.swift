import OrielTelemetry

/// The truth of a leaf for one row.
enum Truth: UInt8, Sendable {
    case no
    case yes
    case unknown

    @inline(__always)
    init(_ flag: Bool) { self = flag ? .yes : .no }
}

/// What a leaf of a predicate asks of a value, prepared for each type that a value may have.
struct ValueTest: Sendable {
    private enum Kind: Sendable {
        case exists
        case compare(Predicate.Comparison, Predicate.Literal, text: [UInt8])
        case isOneOf(LiteralSet)
        case contains(TextSearch)
    }

    private let kind: Kind
    /// The answer for integers, which are most of what is compared.
    let integers: IntegerRule
    /// The answer for a value of another kind than the literal's.
    let mismatch: Truth

    /// Whether the value is there at all.
    static let exists = ValueTest(kind: .exists, integers: .constant(.yes), mismatch: .yes)

    private init(kind: Kind, integers: IntegerRule, mismatch: Truth) {
        self.kind = kind
        self.integers = integers
        self.mismatch = mismatch
    }

    init(_ comparison: Predicate.Comparison, _ literal: Predicate.Literal) {
        switch comparison {
        case .equal: mismatch = .no
        case .notEqual: mismatch = .yes
        case .less, .lessOrEqual, .greater, .greaterOrEqual: mismatch = .unknown
        }
        switch literal {
        case .int(let value): integers = IntegerRule(comparison, value)
        case .double(let value): integers = IntegerRule(comparison, value)
        case .string, .bool, .traceID, .spanID: integers = .constant(mismatch)
        }
        var text: [UInt8] = []
        if case .string(let value) = literal { text = Array(value.utf8) }
        kind = .compare(comparison, literal, text: text)
    }

    init(isOneOf literals: [Predicate.Literal]) {
        let set = LiteralSet(literals)
        self.init(kind: .isOneOf(set), integers: .set(set.integers), mismatch: .no)
    }

    init(contains search: TextSearch) {
        self.init(kind: .contains(search), integers: .constant(.no), mismatch: .no)
    }

    @inline(__always)
    func truth(integer value: Int64) -> Truth { integers.truth(of: value) }

    func truth(double value: Double) -> Truth {
        switch kind {
        case .exists: return .yes
        case .compare(let comparison, .double(let literal), _): return ValueTest.compare(value, comparison, literal)
        case .compare(let comparison, .int(let literal), _): return ValueTest.compare(value, comparison, literal)
        case .compare, .contains: return mismatch
        case .isOneOf(let set):
            if let integer = Int64(exactly: value), set.integers.contains(integer) { return .yes }
            return Truth(set.doubles.contains(value))
        }
    }

    func truth(bool value: Bool) -> Truth {
        switch kind {
        case .exists: .yes
        case .compare(let comparison, .bool(let literal), _): ValueTest.ordered(value ? 1 : 0, comparison, literal ? 1 : 0)
        case .compare, .contains: mismatch
        case .isOneOf(let set): Truth(set.bools.contains(value))
        }
    }

    func truth(text value: Span<UInt8>) -> Truth {
        switch kind {
        case .exists: return .yes
        case .compare(.equal, .string, let text): return Truth(value.isEqual(to: text.span))
        case .compare(.notEqual, .string, let text): return Truth(!value.isEqual(to: text.span))
        case .compare(let comparison, .string, let text): return ValueTest.ordered(ValueTest.order(value, text.span), comparison, 0)
        case .compare: return mismatch
        case .isOneOf(let set): return Truth(set.texts.index(of: value) != nil)
        case .contains(let search): return Truth(search.occurs(in: value))
        }
    }

    /// What a text must have for the test to be true, or `nil` when other values or all texts can pass.
    var textRequirement: TextRequirement? {
        switch kind {
        case .compare(.equal, .string, let text) where !text.isEmpty: TextRequirement(values: [text])
        case .isOneOf(let set): set.holdsTextsOnly ? TextRequirement(values: (0..<set.texts.count).map { set.texts.keys[$0] }) : nil
        case .contains(let search): search.isEmpty ? nil : TextRequirement(search)
        case .exists, .compare: nil
        }
    }

    /// The indexes of the values of a column for which the test has the wanted truth, ascending.
    func indexes(in values: ByteColumn, _ wanted: Truth) -> [Int] {
        if case .contains(let search) = kind, wanted == .yes { return search.indexes(in: values) }
        let bytes = values.bytes.span
        return (0..<values.count).filter { truth(text: bytes.extracting(values.range(of: $0))) == wanted }
    }

    func truth(traceID value: TraceID) -> Truth {
        switch kind {
        case .exists: .yes
        case .compare(let comparison, .traceID(let literal), _):
            ValueTest.ordered(value == literal ? 0 : value < literal ? -1 : 1, comparison, 0)
        case .compare, .contains: mismatch
        case .isOneOf(let set): Truth(set.traceIDs.contains(value))
        }
    }

    func truth(spanID value: UInt64) -> Truth {
        switch kind {
        case .exists: .yes
        case .compare(let comparison, .spanID(let literal), _): ValueTest.ordered(value, comparison, literal.rawValue)
        case .compare, .contains: mismatch
        case .isOneOf(let set): Truth(set.spanIDs.contains(value))
        }
    }

    /// Any value. An array passes when an element does; `contains` looks into the values of a map too.
    func truth(_ value: AttributeValue) -> Truth {
        if case .exists = kind { return .yes }
        switch value {
        case .empty, .bytes: return mismatch
        case .string(let text): return truth(text: Array(text.utf8).span)
        case .bool(let flag): return truth(bool: flag)
        case .int(let number): return truth(integer: number)
        case .double(let number): return truth(double: number)
        case .array(let elements): return any(of: elements)
        case .map(let attributes):
            guard case .contains = kind else { return mismatch }
            return any(of: attributes.map(\.value))
        }
    }

    private func any(of values: [AttributeValue]) -> Truth {
        var result = Truth.no
        for value in values {
            switch truth(value) {
            case .yes: return .yes
            case .unknown: result = .unknown
            case .no: break
            }
        }
        return result
    }

    @inline(__always)
    private static func ordered<Value: Comparable>(_ value: Value, _ comparison: Predicate.Comparison, _ literal: Value) -> Truth {
        switch comparison {
        case .equal: Truth(value == literal)
        case .notEqual: Truth(value != literal)
        case .less: Truth(value < literal)
        case .lessOrEqual: Truth(value <= literal)
        case .greater: Truth(value > literal)
        case .greaterOrEqual: Truth(value >= literal)
        }
    }

    private static func compare(_ value: Double, _ comparison: Predicate.Comparison, _ literal: Double) -> Truth {
        ordered(value, comparison, literal)
    }

    /// Exact, also where an integer has no double.
    private static func compare(_ value: Double, _ comparison: Predicate.Comparison, _ literal: Int64) -> Truth {
        if value.isNaN { return Truth(comparison == .notEqual) }
        if value >= 0x1p63 { return ordered(1, comparison, 0) }
        if value < -0x1p63 { return ordered(-1, comparison, 0) }
        let whole = Int64(value)
        if whole != literal { return ordered(whole, comparison, literal) }
        return ordered(value - Double(whole), comparison, 0)
    }

    /// -1, 0 or 1, by bytes.
    private static func order(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Int {
        let shared = min(left.count, right.count)
        var offset = 0
        while offset < shared {
            if left[offset] != right[offset] { return left[offset] < right[offset] ? -1 : 1 }
            offset &+= 1
        }
        return left.count == right.count ? 0 : left.count < right.count ? -1 : 1
    }
}

/// The literals of an `isOneOf`, by kind.
struct LiteralSet: Sendable {
    /// Whole numbers, also those that were given as doubles.
    private(set) var integers: Set<Int64> = []
    /// Numbers that are no `Int64`.
    private(set) var doubles: Set<Double> = []
    private(set) var bools: Set<Bool> = []
    private(set) var texts = KeyTable()
    private(set) var traceIDs: Set<TraceID> = []
    private(set) var spanIDs: Set<UInt64> = []

    /// Whether nothing but texts, none of them empty, can be equal to a literal.
    var holdsTextsOnly: Bool {
        let hasOthers = !integers.isEmpty || !doubles.isEmpty || !bools.isEmpty || !traceIDs.isEmpty || !spanIDs.isEmpty
        return !hasOthers && texts.index(of: "") == nil
    }

    init(_ literals: [Predicate.Literal]) {
        for literal in literals {
            switch literal {
            case .int(let value): integers.insert(value)
            case .double(let value):
                if let integer = Int64(exactly: value) { integers.insert(integer) } else { doubles.insert(value) }
            case .bool(let value): bools.insert(value)
            case .string(let value): _ = texts.intern(Array(value.utf8).span)
            case .traceID(let value): traceIDs.insert(value)
            case .spanID(let value): spanIDs.insert(value.rawValue)
            }
        }
    }
}

/// A test on integers: what a comparison with a number comes down to.
enum IntegerRule: Sendable {
    case constant(Truth)
    case inside(Int64, Int64)
    case outside(Int64, Int64)
    case set(Set<Int64>)

    init(_ comparison: Predicate.Comparison, _ literal: Int64) {
        switch comparison {
        case .equal: self = .inside(literal, literal)
        case .notEqual: self = .outside(literal, literal)
        case .less: self = literal == .min ? .constant(.no) : .inside(.min, literal - 1)
        case .lessOrEqual: self = .inside(.min, literal)
        case .greater: self = literal == .max ? .constant(.no) : .inside(literal + 1, .max)
        case .greaterOrEqual: self = .inside(literal, .max)
        }
    }

    init(_ comparison: Predicate.Comparison, _ literal: Double) {
        if literal.isNaN {
            self = .constant(Truth(comparison == .notEqual))
            return
        }
        if let integer = Int64(exactly: literal) {
            self.init(comparison, integer)
            return
        }
        // Not a whole number, or beyond all integers: nothing equals it, and the integers split below and above.
        let isHuge = literal.magnitude >= 0x1p63
        let below: IntegerRule = isHuge ? .constant(Truth(literal > 0)) : .inside(.min, Int64(literal.rounded(.down)))
        let above: IntegerRule = isHuge ? .constant(Truth(literal < 0)) : .inside(Int64(literal.rounded(.up)), .max)
        switch comparison {
        case .equal: self = .constant(.no)
        case .notEqual: self = .constant(.yes)
        case .less, .lessOrEqual: self = below
        case .greater, .greaterOrEqual: self = above
        }
    }

    @inline(__always)
    func truth(of value: Int64) -> Truth {
        switch self {
        case .constant(let truth): truth
        case .inside(let low, let high): Truth(value >= low && value <= high)
        case .outside(let low, let high): Truth(value < low || value > high)
        case .set(let values): Truth(values.contains(value))
        }
    }

    /// Whether some value of a range can have the wanted truth.
    func canBe(_ wanted: Truth, in range: ClosedRange<Int64>) -> Bool {
        switch (self, wanted) {
        case (.constant(let truth), _): truth == wanted
        case (_, .unknown): false
        case (.inside(let low, let high), .yes), (.outside(let low, let high), .no): low <= range.upperBound && range.lowerBound <= high
        case (.inside(let low, let high), .no), (.outside(let low, let high), .yes): range.lowerBound < low || range.upperBound > high
        case (.set(let values), .yes): values.contains { range.contains($0) }
        case (.set, .no): true
        }
    }
}

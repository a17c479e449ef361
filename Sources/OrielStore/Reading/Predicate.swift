public import OrielTelemetry

/// A condition on rows. Three-valued: a leaf on a missing value is unknown unless it says otherwise, `not` of unknown is unknown, and a row passes only when the
/// whole is true.
public indirect enum Predicate: Hashable, Sendable {
    /// Every row.
    case all
    case and([Predicate])
    case or([Predicate])
    case not(Predicate)
    /// Compares a field with a literal. Integers and doubles compare as numbers; values of different kinds are unequal and otherwise unknown. An array passes when any
    /// element does.
    case compare(Field, Comparison, Literal, missing: MissingRule)
    /// Whether the field equals one of the literals.
    case isOneOf(Field, [Literal], missing: MissingRule)
    /// Whether the field is there.
    case exists(Field)
    /// Whether a text field contains a text.
    case contains(Field, String, caseSensitive: Bool, missing: MissingRule)
    /// Whether a text field contains a text as whole words: as ``contains(_:_:caseSensitive:missing:)``, but not as part of a longer word (a token of ``TextTokens``).
    /// All words are known, so that engines find rare ones without reading much.
    case containsWords(Field, String, caseSensitive: Bool, missing: MissingRule)

    public enum Comparison: UInt8, Hashable, Sendable {
        case equal
        case notEqual
        case less
        case lessOrEqual
        case greater
        case greaterOrEqual
    }

    /// What a leaf says about a row that lacks the field.
    public enum MissingRule: UInt8, Hashable, Sendable {
        /// Neither true nor false.
        case unknown
        case isFalse
        case isTrue
        /// As if the field held the empty string.
        case asEmptyString
    }

    public enum Literal: Hashable, Sendable {
        case string(String)
        case int(Int64)
        case double(Double)
        case bool(Bool)
        case traceID(TraceID)
        case spanID(SpanID)
    }
}

/// A value of a row that a predicate looks at.
public enum Field: Hashable, Sendable {
    /// The row's time, in the signal's unit; compares with `.int`.
    case time
    /// A fixed column. A zero trace or span id and an empty byte string in an optional column count as present.
    case column(ColumnID)
    /// An attribute of the row itself.
    case attribute(String)
    /// An attribute of the row's resource.
    case resourceAttribute(String)
    /// An attribute of the row's scope.
    case scopeAttribute(String)
    /// The first that is there: the row's own attribute, the scope's, the resource's.
    case anyAttribute(String)
    /// `service.name` of the resource.
    public static let serviceName = Field.resourceAttribute("service.name")
}

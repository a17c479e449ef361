extension Oriel {
    /// What a span holds at most, so that a loop which never ends its span costs a bounded amount of memory. What is left out is counted in the span.
    public struct SpanLimits: Hashable, Sendable {
        /// Attributes of a span; those that come later are left out.
        public var attributes = 128
        /// Events of a span; those that come later are left out.
        public var events = 128
        /// Links of a span; those that come later are left out.
        public var links = 128
        /// Attributes of one event; those that come later are left out.
        public var attributesPerEvent = 128
        /// Attributes of one link; those that come later are left out.
        public var attributesPerLink = 128
        /// Unicode scalars of a text among the attributes, also of each one in an array; longer ones are cut. `nil` for no limit but
        /// that of a record, which is a megabyte.
        public var attributeValueLength: Int?
        /// Unicode scalars of a span's or an event's name; longer ones are cut.
        public var nameLength = 1024

        /// The defaults, OpenTelemetry's.
        public init() {}
    }
}

extension String {
    /// The text, cut to so many Unicode scalars.
    ///
    /// Complexity: O(1) for texts of so few bytes, else O(*limit*).
    func limited(to limit: Int?) -> String {
        guard let limit, utf8.count > limit else { return self }
        guard let end = unicodeScalars.index(startIndex, offsetBy: max(limit, 0), limitedBy: endIndex), end < endIndex else { return self }
        return String(self[..<end])
    }
}

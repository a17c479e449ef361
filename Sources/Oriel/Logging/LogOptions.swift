extension Oriel {
    /// What a ``LogHandler`` writes of a line, and how much.
    public struct LogOptions: Sendable, Hashable {
        /// Characters (Unicode scalars) of a string in the metadata; what is longer is cut. Default 65,536.
        ///
        /// Whatever it is, a record keeps below the megabyte that one may have.
        public var valueLengthLimit = 64 << 10
        /// Characters (Unicode scalars) of a message; what is longer is cut. Default 65,536.
        public var messageLengthLimit = 64 << 10
        /// Attributes of a record; those beyond are dropped and counted in the record. Default 128, which is OpenTelemetry's.
        public var attributeCountLimit = 128
        /// Whether the place in the source code is written, and the source where it is given: some 100 bytes a line. Default `false`.
        public var includesCode = false

        /// The defaults.
        public init() {}
    }
}

public import OrielTelemetry

extension Oriel {
    /// One call of a function, as the platform tells of it.
    public struct Invocation: Sendable, Hashable {
        /// The platform's id of the invocation: Lambda's `Lambda-Runtime-Aws-Request-Id`.
        public var requestID: String
        /// The function's full name: Lambda's `Lambda-Runtime-Invoked-Function-Arn`. Empty if unknown.
        public var functionARN: String
        /// When the platform ends the invocation, by the wall clock; `nil` if it does not.
        public var deadline: Timestamp?
        /// The platform's own trace: Lambda's `Lambda-Runtime-Trace-Id`, the value of an `X-Amzn-Trace-Id` header.
        public var traceHeader: String?

        /// - Parameter deadline: by the wall clock; `nil` for none.
        public init(requestID: String, functionARN: String = "", deadline: Timestamp? = nil, traceHeader: String? = nil) {
            self.requestID = requestID
            self.functionARN = functionARN
            self.deadline = deadline
            self.traceHeader = traceHeader
        }

        /// - Parameter deadlineMilliseconds: since 1970: Lambda's `Lambda-Runtime-Deadline-Ms`.
        public init(requestID: String, functionARN: String = "", deadlineMilliseconds: Int64, traceHeader: String? = nil) {
            self.init(
                requestID: requestID, functionARN: functionARN, deadline: Timestamp(milliseconds: deadlineMilliseconds), traceHeader: traceHeader)
        }

        /// The longest that sending may take after the function has answered.
        static let longestFlush: Int64 = 500_000_000
        /// What is left to the platform before the deadline.
        static let reserve: Int64 = 50_000_000

        /// When sending must be over that begins now: the wall clock goes on while a sandbox is frozen.
        func flushDeadline(now: Timestamp) -> Timestamp {
            let latest = now.advanced(by: Self.longestFlush)
            guard let deadline else { return latest }
            return min(latest, deadline.advanced(by: -Self.reserve))
        }
    }

    /// Where the context of a caller may be found: the headers of a request, the attributes of a message. Names are compared without regard to case.
    public struct Carrier: Sendable, Hashable, ExpressibleByDictionaryLiteral {
        /// By lower-case name.
        private var fields: [String: String] = [:]

        /// Of fields whose names differ by case alone the last one counts.
        public init(_ fields: some Sequence<(String, String)>) {
            for (name, value) in fields { self.fields[name.lowercased()] = value }
        }

        /// Headers or attributes as most libraries have them.
        public init(_ fields: [String: String]) {
            self.init(fields.map { ($0.key, $0.value) })
        }

        public init(dictionaryLiteral elements: (String, String)...) {
            self.init(elements)
        }

        /// The value of a field, whatever the case of its name; `nil` if there is none.
        public subscript(name: String) -> String? { fields[name] ?? fields[name.lowercased()] }
    }
}

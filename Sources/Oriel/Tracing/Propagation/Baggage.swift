public import Tracing

extension Oriel {
    /// Names and values that travel with a request from service to service, in their order: W3C Baggage.
    ///
    /// They go to every service that is called, also to those of others: no secrets belong in them. A context has them as `context.baggage`.
    public struct Baggage: Hashable, Sendable {
        /// More about a member: a key, mostly with a value, in the form that it has in the header.
        public struct Property: Hashable, Sendable {
            /// An HTTP token.
            public var key: String
            /// As it stands in the header; `nil` for a key alone.
            public var value: String?

            /// A key, mostly with a value.
            public init(key: String, value: String? = nil) {
                self.key = key
                self.value = value
            }
        }

        /// A name and its value.
        public struct Member: Hashable, Sendable {
            /// An HTTP token: letters, digits and some marks (RFC 9110, section 5.6.2). A member with another key is not sent.
            public var key: String
            /// Any text; it is sent percent-encoded.
            public var value: String
            /// More about it, passed on as it is.
            public var properties: [Property]

            /// A name and its value.
            public init(key: String, value: String, properties: [Property] = []) {
                self.key = key
                self.value = value
                self.properties = properties
            }
        }

        /// What is sent of these has bounds: 64 members and 8,192 bytes, the first ones.
        public var members: [Member]

        /// Members in the order in which they are sent.
        public init(_ members: [Member] = []) {
            self.members = members
        }

        /// Whether there is nothing to send.
        public var isEmpty: Bool { members.isEmpty }

        /// The value of a key; of several the last one. Setting it changes that member or appends one; `nil` removes all of that key.
        public subscript(key: String) -> String? {
            get { members.last { $0.key == key }?.value }
            set {
                guard let newValue else { return members.removeAll { $0.key == key } }
                if let index = members.lastIndex(where: { $0.key == key }) {
                    members[index].value = newValue
                } else {
                    members.append(Member(key: key, value: newValue))
                }
            }
        }
    }
}

private enum BaggageKey: ServiceContextKey {
    typealias Value = Oriel.Baggage
    static let nameOverride: String? = "oriel-baggage"
}

extension ServiceContext {
    /// What travels with the request; empty for nothing.
    public var baggage: Oriel.Baggage {
        get { self[BaggageKey.self] ?? Oriel.Baggage() }
        set { self[BaggageKey.self] = newValue.isEmpty ? nil : newValue }
    }
}

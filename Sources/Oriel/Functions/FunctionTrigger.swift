extension Oriel {
    /// What called a function, with the values of `faas.trigger`.
    public enum FunctionTrigger: String, Hashable, Sendable, CaseIterable {
        /// A request that waits for the answer: an API gateway, a function's URL.
        case http
        /// Messages, one or many at a time: SQS, SNS, Kinesis, EventBridge.
        case pubsub
        /// A change of data: DynamoDB, S3.
        case datasource
        /// A schedule.
        case timer
        case other

        /// Whether an event holds any number of things that came about apart from each other, so that none of them is the parent of the whole.
        var isBatch: Bool {
            switch self {
            case .pubsub, .datasource: true
            case .http, .timer, .other: false
            }
        }
    }
}

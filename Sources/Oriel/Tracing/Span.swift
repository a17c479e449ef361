public import Tracing

extension Oriel {
    /// A span of a ``Tracer``. Copies are the same span.
    public struct Span: Tracing.Span {
        /// What of the parent's context belongs to its children too, without the parent's span where that is all of it.
        private let inherited: ServiceContext
        private let reference: SpanContextReference

        /// - Parameter parent: the span in `context`.
        init(context: ServiceContext, parent: SpanContextReference?, reference: SpanContextReference) {
            inherited = context.count == (parent == nil ? 0 : 1) ? .topLevel : context
            self.reference = reference
        }

        /// `nil` when the span was not chosen to be recorded.
        private var recording: SpanRecording? { reference.recording }

        /// What children are started with: the parent's context, with this span in place of the parent.
        ///
        /// It is made at each call.
        public var context: ServiceContext {
            if !reference.isValid { return inherited }
            if inherited.isEmpty { return SpareContext.context(with: reference) }
            var context = inherited
            context.spanContextReference = reference
            return context
        }

        /// What tells this span apart, without the rest of ``context``. Where ``Configuration/isDisabled`` is set it is the caller's, or all zeros without one.
        public var spanContext: SpanContext { reference.context }

        /// Whether what is set here is kept: the span was chosen by the sampler and has not ended.
        public var isRecording: Bool { recording?.isRecording ?? false }

        /// The name; empty when the span is not recorded.
        public var operationName: String {
            get { recording?.operationName ?? "" }
            nonmutating set { recording?.operationName = newValue }
        }

        /// The attributes; none when the span is not recorded, or has ended.
        ///
        /// A change in place (`span.attributes["http.response.status_code"] = 200`) takes them out, changes them without a lock and puts them back; what other threads change
        /// meanwhile is merged. Several at once are best set by ``updateAttributes(_:)``.
        public var attributes: SpanAttributes {
            get { recording?.attributes ?? [:] }
            nonmutating set { recording?.attributes = newValue }
            nonmutating _modify {
                guard let recording else {
                    var unused = SpanAttributes.none
                    yield &unused
                    return
                }
                var loan = recording.lendAttributes()
                defer { recording.takeBack(loan) }
                yield &loan.attributes
            }
        }

        /// Changes attributes in place.
        public func updateAttributes(_ update: (inout SpanAttributes) -> Void) {
            guard let recording else { return }
            var loan = recording.lendAttributes(forSeveral: true)
            update(&loan.attributes)
            recording.takeBack(loan)
        }

        /// Success is final: an error that is set later does not count, as OpenTelemetry says. An error without a message leaves the message of one that was set before.
        public func setStatus(_ status: SpanStatus) { recording?.setStatus(status) }

        public func addEvent(_ event: SpanEvent) { recording?.addEvent(event) }

        /// Adds a link to another span. One whose context has none of our spans is passed over.
        public func addLink(_ link: SpanLink) { recording?.addLink(link) }

        /// Adds an event `exception` with the error's type and description. The status stays as it is: an error that was dealt with is no failure of the span. `withSpan` sets it for what
        /// is thrown.
        public func recordError<Instant: TracerInstant>(_ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant) {
            guard let recording, recording.isRecording else { return }
            recording.recordError(error, attributes, at: instant())
        }

        /// Ends the span and hands it over for delivery. Only the first call counts.
        public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
            guard let recording else { return }
            recording.end(Int64(clamping: instant().nanosecondsSinceEpoch), mayBeNow: Instant.self == DefaultTracerClock.Timestamp.self)
        }
    }
}

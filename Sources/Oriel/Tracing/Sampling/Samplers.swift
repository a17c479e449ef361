extension Oriel {
    /// Records all spans. Their `tracestate` says that each stands for itself.
    public struct AlwaysOnSampler: Sampler {
        private let recorded = SamplingDecision(isSampled: true, threshold: .known(.always))

        public init() {}

        public func decision(for candidate: SamplingCandidate) -> SamplingDecision { recorded }
    }

    /// Records no span.
    public struct AlwaysOffSampler: Sampler {
        public init() {}

        public func decision(for candidate: SamplingCandidate) -> SamplingDecision { .drop }
    }

    /// Records a part of all traces, chosen by their ids: services with the same ratio keep the same traces, and one with a smaller ratio keeps a part of these.
    ///
    /// By OpenTelemetry's consistent probability sampling; ``SamplingThreshold`` says how it is told.
    public struct RatioSampler: Sampler {
        /// `nil` when nothing is recorded.
        public let threshold: SamplingThreshold?
        private let recorded: SamplingDecision

        /// - Parameter ratio: the part of all traces, 0 to 1; what is below or no number is 0, what is above is 1.
        public init(ratio: Double) {
            threshold = SamplingThreshold(ratio: ratio)
            recorded = threshold.map { SamplingDecision(isSampled: true, threshold: .known($0)) } ?? .drop
        }

        public func decision(for candidate: SamplingCandidate) -> SamplingDecision {
            guard let threshold, threshold.keeps(candidate.randomness) else { return .drop }
            return recorded
        }
    }

    /// Decides as it was decided for the parent, so that traces stay whole, and asks another sampler where there is none.
    ///
    /// What `tracestate` tells of the parent's threshold goes on, unless it says that the parent, which is recorded, was not to be. Where children of
    /// recorded spans have a sampler of their own, the stricter of both thresholds is told as long as children of spans that were not
    /// recorded are not recorded either; else all were chosen from, and it is the sampler's own.
    public struct ParentBasedSampler: Sampler {
        private let root: any Sampler
        private let remoteParentSampled: (any Sampler)?
        private let remoteParentNotSampled: (any Sampler)?
        private let localParentSampled: (any Sampler)?
        private let localParentNotSampled: (any Sampler)?
        private let alwaysFollows: Bool

        /// - Parameters:
        ///   - root: for the first span of a trace.
        ///   - remoteParentSampled: for children of a recorded span of another process; `nil` records them, as all the following do what the parent says.
        public init(
            root: any Sampler, remoteParentSampled: (any Sampler)? = nil, remoteParentNotSampled: (any Sampler)? = nil,
            localParentSampled: (any Sampler)? = nil, localParentNotSampled: (any Sampler)? = nil
        ) {
            self.root = root
            self.remoteParentSampled = remoteParentSampled
            self.remoteParentNotSampled = remoteParentNotSampled
            self.localParentSampled = localParentSampled
            self.localParentNotSampled = localParentNotSampled
            alwaysFollows = remoteParentSampled == nil && remoteParentNotSampled == nil && localParentSampled == nil && localParentNotSampled == nil
        }

        public func decision(for candidate: SamplingCandidate) -> SamplingDecision {
            guard let reference = candidate.parentReference else { return root.decision(for: candidate) }
            // Nearly all spans: a look at two flags.
            if alwaysFollows, !reference.context.isRemote { return SamplingDecision(isSampled: reference.context.isSampled, threshold: .inherited) }
            let parent = reference.context
            if alwaysFollows { return Self.following(parent, candidate) }
            let sampler: (any Sampler)? =
                switch (parent.isRemote, parent.isSampled) {
                case (true, true): remoteParentSampled
                case (true, false): remoteParentNotSampled
                case (false, true): localParentSampled
                case (false, false): localParentNotSampled
                }
            guard let sampler else { return Self.following(parent, candidate) }
            let decision = sampler.decision(for: candidate)
            guard parent.isSampled, case .known(let own) = decision.threshold else { return decision }
            // Where children of spans that were not recorded are chosen from, too, the parent's threshold excludes nobody.
            guard Self.drops(parent.isRemote ? remoteParentNotSampled : localParentNotSampled) else { return decision }
            return SamplingDecision(isSampled: decision.isSampled, threshold: Self.combined(own, parent, candidate))
        }

        /// The parent's decision.
        private static func following(_ parent: SpanContext, _ candidate: SamplingCandidate) -> SamplingDecision {
            // What a parent of this process tells was seen to when it began.
            let isChecked = !parent.isRemote || !parent.isSampled || parent.traceState.isEmpty
            let isConsistent = isChecked || TraceState.threshold(in: parent.traceState)?.keeps(candidate.randomness) ?? true
            return SamplingDecision(isSampled: parent.isSampled, threshold: isConsistent ? .inherited : .unknown)
        }

        /// Whether a sampler for children of spans that were not recorded is known to record none of them; without one they are as their parents.
        private static func drops(_ sampler: (any Sampler)?) -> Bool {
            switch sampler {
            case nil, is AlwaysOffSampler: true
            case let sampler as RatioSampler: sampler.threshold == nil
            default: false
            }
        }

        /// Only children of recorded spans came to be decided on, so the stricter of both thresholds is what tells how many there were.
        /// A threshold that would have dropped the parent tells nothing.
        private static func combined(_ own: SamplingThreshold, _ parent: SpanContext, _ candidate: SamplingCandidate) -> SamplingDecision.Threshold {
            guard let known = TraceState.threshold(in: parent.traceState), known.keeps(candidate.randomness) else { return .unknown }
            return own > known ? .known(own) : .inherited
        }
    }
}

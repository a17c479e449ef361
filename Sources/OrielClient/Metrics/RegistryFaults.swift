import Synchronization

/// What went wrong in a registry: counted, and told once a name. Instruments share it.
final class RegistryFaults: Sendable {
    /// The most lines about names; what is beyond is counted only, which a last line says.
    static let lineLimit = 32
    /// How long nothing is told after a line that nobody took.
    private static let silence: Duration = .seconds(1)
    /// Characters of a name that tell it apart from others here.
    private static let nameLength = 100

    /// Amounts and values that an instrument cannot take.
    let ignored = Atomic<Int>(0)
    /// Lookups of label sets beyond the limit, answered with the overflow series.
    let overflowed = Atomic<Int>(0)
    /// Series of collectors that were left out of a snapshot.
    let omitted = Atomic<Int>(0)

    /// What a line is about.
    private enum Subject: Hashable {
        /// A name whose instrument works, but is not exported.
        case rejected(String)
        /// A name of which something is exported otherwise than it was asked for.
        case repaired(String)
        /// All names beyond the limit of metrics.
        case limit
        /// That there will be no further lines.
        case end
    }

    private struct Rejections {
        /// Requests that could not be met as asked, by reason.
        var counts: [MetricRegistrationError.Reason: Int] = [:]
        var told: Set<Subject> = []
        /// When the next line may be told, after one that nobody took.
        var nextLine: ContinuousClock.Instant?
    }

    private let rejections = Mutex(Rejections())
    private let warn: (@Sendable (String) -> Bool)?

    /// - Parameter warn: is told sentences, without a lock, by the thread that asked for the instrument; says whether it could pass them on.
    init(warn: (@Sendable (String) -> Bool)?) {
        self.warn = warn
    }

    /// Counts an instrument that is not exported.
    func reject(_ name: String, _ error: MetricRegistrationError) {
        var subject = Subject.rejected(String(name.prefix(Self.nameLength)))
        if case .tooManyMetrics = error { subject = .limit }
        count(error, subject) { "metric \"\(name.prefix(Self.nameLength))\" is not exported: \(error)" }
    }

    /// Counts something that is exported otherwise than it was asked for.
    func repair(_ name: String, _ error: MetricRegistrationError) {
        count(error, .repaired(String(name.prefix(Self.nameLength)))) { "metric \"\(name.prefix(Self.nameLength))\" is not exported as asked: \(error)" }
    }

    private func count(_ error: MetricRegistrationError, _ subject: Subject, _ text: () -> String) {
        let subject = rejections.withLock { rejections -> Subject? in
            rejections.counts[.init(error), default: 0] += 1
            guard warn != nil, !rejections.told.contains(.end), rejections.nextLine.map({ $0 <= .now }) ?? true else { return nil }
            let new = rejections.told.count < Self.lineLimit ? subject : .end
            return rejections.told.insert(new).inserted ? new : nil
        }
        guard let warn, let subject else { return }
        let line = subject == .end ? "further metrics that cannot be had as asked are only counted, in oriel_metric_registry_rejected_total" : text()
        // A name may hold anything; a line stays one.
        if !warn(String(line.map { $0.isNewline ? " " : $0 })) {
            // Nobody reads just now: a later request of that name tells it.
            rejections.withLock { rejections in
                rejections.told.remove(subject)
                rejections.nextLine = .now + Self.silence
            }
        }
    }

    func count(of reason: MetricRegistrationError.Reason) -> Int {
        rejections.withLock { $0.counts[reason] ?? 0 }
    }
}

import OrielTelemetry
import Synchronization

/// The instrumentation scope of records, as a number that a ``RecordQueue`` gave it.
public struct RecordScope: Hashable, Sendable {
    let number: UInt32

    /// Whether it has no name: also what a name is given beyond the bound, so that who has one must tell it otherwise.
    package var isNameless: Bool { number == 0 }
}

/// The instrumentation scopes of a process: labels of loggers, names of tracers.
///
/// Scopes stay for ever, so their number is bounded; those beyond the bound share one without a name, and are counted.
final class ScopeTable: Sendable {
    /// The most scopes, the nameless one included.
    static let limit = 4096

    private struct Contents {
        var numbers: [InstrumentationScope: UInt32] = [InstrumentationScope(): 0]
        var scopes = [InstrumentationScope()]
    }

    private let contents = Mutex(Contents())
    private let refusals = Atomic<UInt64>(0)

    /// The number of a scope, the same each time.
    func scope(_ scope: InstrumentationScope) -> RecordScope {
        contents.withLock { contents in
            if let known = contents.numbers[scope] { return RecordScope(number: known) }
            guard contents.scopes.count < Self.limit else {
                refusals.wrappingAdd(1, ordering: .relaxed)
                return RecordScope(number: 0)
            }
            let number = UInt32(contents.scopes.count)
            contents.numbers[scope] = number
            contents.scopes.append(scope)
            return RecordScope(number: number)
        }
    }

    /// Requests for scopes beyond the bound.
    var refused: UInt64 { refusals.load(ordering: .relaxed) }

    /// All scopes, by number.
    var all: [InstrumentationScope] { contents.withLock { $0.scopes } }
}

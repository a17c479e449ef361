public import OrielTelemetry
import Synchronization

/// Makes random ids of traces and spans, about 10 ns each, from any thread.
///
/// Each group of threads has a counter of its own, which one atomic addition moves on; an id is the counter's value, mixed with secret keys. So a group never makes the same
/// span id twice, threads do not wait for each other, and there is no lock that a fork could leave closed. Counters and keys come from the system's random
/// generator: at the beginning, in the child of a fork, and on ``reseed()``. The ids are not meant to be unpredictable for an attacker.
public final class IdentifierGenerator: Sendable {
    /// A counter and its keys.
    private struct Place: ~Copyable, Sendable {
        let counter = Atomic<UInt64>(0)
        let firstKey = Atomic<UInt64>(0)
        let secondKey = Atomic<UInt64>(0)
        let forks = Atomic<UInt64>(0)

        init() { seed() }

        /// Threads that seed or count at the same time get ids from a mixture of old and new numbers, which are as random.
        func seed() {
            var generator = SystemRandomNumberGenerator()
            let current = ForkCount.current
            firstKey.store(generator.next(), ordering: .relaxed)
            secondKey.store(generator.next(), ordering: .relaxed)
            counter.store(generator.next(), ordering: .relaxed)
            // Last: a thread of a fork's child that saw this before the new numbers would make the parent's ids.
            forks.store(current, ordering: .releasing)
        }
    }

    private let places: CacheLineRow<Place>
    private let threads = ThreadNumber()

    public init() {
        ForkCount.watch()
        places = CacheLineRow(count: ThreadNumber.groupCount) { Place() }
    }

    /// Begins anew from the system's random generator: to be called after a sandbox was restored from a snapshot, since all that were restored from it would make the
    /// same ids. The child of a fork does it by itself.
    public func reseed() {
        for index in 0..<places.count { places.withCell(index) { $0.seed() } }
    }

    /// A new trace id of 128 random bits, never zero.
    public func traceID() -> TraceID {
        withPlace { place in
            while true {
                let count = place.counter.wrappingAdd(Self.step, ordering: .relaxed).newValue
                let id = TraceID(
                    high: Self.mix(count, place.firstKey.load(ordering: .relaxed)), low: Self.mix(~count, place.secondKey.load(ordering: .relaxed)))
                if !id.isZero { return id }
            }
        }
    }

    /// A new span id of 64 random bits, never zero.
    public func spanID() -> SpanID {
        withPlace { place in
            while true {
                let count = place.counter.wrappingAdd(Self.step, ordering: .relaxed).newValue
                let id = SpanID(rawValue: Self.mix(count, place.firstKey.load(ordering: .relaxed)))
                if !id.isZero { return id }
            }
        }
    }

    /// Calls `body` with the place of the calling thread's group.
    @inline(__always)
    private func withPlace<ID>(_ body: (borrowing Place) -> ID) -> ID {
        places.withCell(threads.group) { place in
            if place.forks.load(ordering: .acquiring) != ForkCount.current { place.seed() }
            return body(place)
        }
    }

    /// Odd, so that the counter takes all values; the golden ratio's bits, so that near values differ in many.
    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// SplitMix64's mixing function with a key between its rounds: one to one for each key.
    @inline(__always)
    private static func mix(_ value: UInt64, _ key: UInt64) -> UInt64 {
        var mixed = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9 ^ key
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

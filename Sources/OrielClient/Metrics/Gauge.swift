import Synchronization

/// A value that goes up and down. From ``MetricRegistry/gauge(_:labels:help:unit:)``.
///
/// All calls are safe from any thread and never block.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)
    private let faults: RegistryFaults
    private let removed = Atomic<Bool>(false)

    /// The name of the family, empty when the gauge is not exported.
    let family: String

    init(family: String, faults: RegistryFaults) {
        self.family = family
        self.faults = faults
    }

    /// Replaces the value. Infinities and NaN are values, too.
    public func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    /// Replaces the value by a whole number: a count, or a literal.
    public func set(_ value: Int) { set(Double(value)) }

    /// Adds to the value; a negative amount subtracts. An infinity or NaN is ignored and counted by the registry, since all that is added
    /// after it would be lost.
    public func add(_ amount: Double) {
        guard amount.isFinite else {
            faults.ignored.wrappingAdd(1, ordering: .relaxed)
            return
        }
        var old = bits.load(ordering: .relaxed)
        while true {
            let (exchanged, original) = bits.weakCompareExchange(
                expected: old, desired: (Double(bitPattern: old) + amount).bitPattern, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }

    /// The value now.
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    /// Whether the registry was told to export it no more.
    package var isRemoved: Bool { removed.load(ordering: .relaxed) }

    func noteRemoved() { removed.store(true, ordering: .relaxed) }
}

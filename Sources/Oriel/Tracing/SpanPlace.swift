import Synchronization

/// Where a context keeps its span: ``SpareContext`` puts the next span there when nobody else can see it, instead of writing the context anew.
@safe
final class SpanPlace: Sendable {
    /// The address of an `UnrecordedSpan` or, with the lowest bit set, of a `SpanRecording`; retained here. Atomic only for what reads it after it was handed over by reference
    /// counts alone: nobody writes while others can read.
    private let word: Atomic<UInt>

    private static let recordedBit: UInt = 1

    init(_ reference: SpanContextReference) {
        word = Atomic(Self.retained(reference))
    }

    deinit { Self.release(word.load(ordering: .acquiring)) }

    /// The span.
    @inline(__always)
    var reference: SpanContextReference {
        let word = word.load(ordering: .acquiring)
        // Objects begin at addresses that leave the lowest bit free, and no address is zero: the word comes from `retained`. It holds the object as long as this does.
        let address = unsafe UnsafeRawPointer(bitPattern: word & ~Self.recordedBit).unsafelyUnwrapped
        if word & Self.recordedBit == 0 { return unsafe .unrecorded(Unmanaged<UnrecordedSpan>.fromOpaque(address).takeUnretainedValue()) }
        return unsafe .recorded(Unmanaged<SpanRecording>.fromOpaque(address).takeUnretainedValue())
    }

    /// Puts another span in place of the one before. The caller must be the only one that can see this place.
    @inline(__always)
    func replace(with reference: SpanContextReference) {
        let previous = word.load(ordering: .acquiring)
        word.store(Self.retained(reference), ordering: .releasing)
        Self.release(previous)
    }

    @inline(__always)
    private static func retained(_ reference: SpanContextReference) -> UInt {
        switch reference {
        case .unrecorded(let span): UInt(bitPattern: unsafe Unmanaged.passRetained(span).toOpaque())
        case .recorded(let recording): UInt(bitPattern: unsafe Unmanaged.passRetained(recording).toOpaque()) | recordedBit
        }
    }

    @inline(__always)
    private static func release(_ word: UInt) {
        let address = unsafe UnsafeRawPointer(bitPattern: word & ~recordedBit).unsafelyUnwrapped
        if word & recordedBit == 0 {
            unsafe Unmanaged<UnrecordedSpan>.fromOpaque(address).release()
        } else {
            unsafe Unmanaged<SpanRecording>.fromOpaque(address).release()
        }
    }

    /// The value if it is a place: no other key has values of this type.
    @inline(__always)
    static func opened<Value>(_ value: Value) -> SpanPlace? {
        guard Value.self == SpanPlace.self else { return nil }
        // Both are the same type.
        return unsafe withUnsafeBytes(of: value) { unsafe $0.load(as: SpanPlace.self) }
    }
}

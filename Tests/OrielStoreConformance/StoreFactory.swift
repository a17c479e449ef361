public import OrielStore

/// A place in which an engine under test lives.
public protocol StoreFactory: Sendable {
    /// Opens the store. After the store was closed, a second call opens the same rows again.
    func open() async throws -> any TelemetryStore

    /// Ends a store as a crash would, after which ``open()`` must show all that was acknowledged. Closes it where an engine has no such way.
    func abandon(_ store: any TelemetryStore) async throws
}

extension StoreFactory {
    public func abandon(_ store: any TelemetryStore) async throws { try await store.close() }
}

/// What a store did wrong.
public struct ConformanceFailure: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// Throws unless the condition holds.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw ConformanceFailure(message()) }
}

/// Throws unless both are equal.
func expectEqual<Value: Equatable>(_ found: Value, _ expected: Value, _ what: @autoclosure () -> String) throws {
    if found != expected { throw ConformanceFailure("\(what()): expected \(expected), found \(found)") }
}

/// Throws unless both lists of rows are equal, naming the first difference.
func expectRows(_ found: [RowText], _ expected: [RowText], _ what: @autoclosure () -> String) throws {
    for index in 0..<min(found.count, expected.count) where found[index] != expected[index] {
        throw ConformanceFailure("\(what()): row \(index) of \(expected.count): expected\n  \(expected[index])\nfound\n  \(found[index])")
    }
    let counts = "\(found.count) rows instead of \(expected.count)"
    if found.count > expected.count { throw ConformanceFailure("\(what()): \(counts), the first too many is\n  \(found[expected.count])") }
    if found.count < expected.count { throw ConformanceFailure("\(what()): \(counts), the first missing is\n  \(expected[found.count])") }
}

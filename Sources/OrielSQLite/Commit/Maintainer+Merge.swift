import OrielStore
import OrielTelemetry

extension Maintainer {
    /// Does the merge that is most worth it.
    ///
    /// - Returns: Whether there was one.
    func mergeOnce() throws -> Bool {
        false
    }
}

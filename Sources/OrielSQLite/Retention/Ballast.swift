import OrielTelemetry
import Synchronization

/// A file that takes space which the store gives back to itself when the disk is full, so that what heals it (transactions of the manifest, a flush) can be written.
final class Ballast: Sendable {
    private struct State {
        /// Bytes of the file, 0 when there is none.
        var byteCount: Int64 = 0
        /// Bytes that it had when it was given up.
        var owed: Int64 = 0
        var isKnown = false
    }

    private let path: String
    private let files: any FileLayer
    private let state = Mutex(State())

    init(_ folder: String, files: any FileLayer) {
        path = folder + "/ballast"
        self.files = files
    }

    /// A smaller ballast is not worth its file.
    static let smallest: Int64 = 65_536

    /// Bytes that the file takes.
    var byteCount: Int64 { state.withLock { $0.byteCount } }

    /// Bytes that were given up and are to come back before anything else takes them.
    var owed: Int64 { state.withLock { $0.owed } }

    /// Looks whether an earlier start left the file.
    func find() throws(FileError) {
        let size = try files.status(path)?.size ?? 0
        state.withLock { state in
            state.byteCount = size
            state.isKnown = true
        }
    }

    /// Gives the space back.
    ///
    /// - Returns: Whether there was any.
    @discardableResult
    func release() throws(FileError) -> Bool {
        let result = state.withLock { state -> Result<Bool, FileError> in
            guard state.byteCount > 0 else { return .success(false) }
            return Result { () throws(FileError) in
                do throws(FileError) {
                    try files.unlink(path)
                } catch {
                    guard error.isMissing else { throw error }
                }
                state.owed = state.byteCount
                state.byteCount = 0
                try files.synchronizeDirectory(path.parentDirectory)
                return true
            }
        }
        return try result.get()
    }

    /// Makes the file when it is missing and there is room: `size` bytes, at most a 20th of what is free, or what was given up.
    ///
    /// - Parameter floor: What must stay free beside it.
    func restore(size: Int64, free: Int64, floor: Int64) throws(FileError) {
        let result = state.withLock { state -> Result<Void, FileError> in
            let wanted = state.owed > 0 ? state.owed : min(size, free / 20) & ~4095
            guard state.isKnown, state.byteCount == 0, wanted >= Ballast.smallest, free - wanted >= floor else { return .success(()) }
            return Result { () throws(FileError) in
                let file = try files.open(path, .create)
                do throws(FileError) {
                    try files.allocate(file, size: wanted)
                    try files.synchronize(file, all: true)
                } catch {
                    files.closeAfterFailure(file)
                    // A file system that cannot allocate keeps no room; half a ballast is none.
                    try files.unlink(path)
                    throw error
                }
                try files.close(file)
                try files.synchronizeDirectory(path.parentDirectory)
                state.byteCount = wanted
                state.owed = 0
            }
        }
        try result.get()
    }
}

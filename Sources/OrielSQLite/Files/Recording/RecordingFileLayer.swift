import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file layer that passes everything on to another and remembers each change, and that can make chosen operations fail: the instrument of the power-cut
/// and fault tests.
///
/// It records the files below `root`, which is empty when it is made, by their paths relative to it ("" is `root` itself).
final class RecordingFileLayer: FileLayer {
    private struct State {
        var operations: [FileOperation] = []
        /// The files that have a name, by it.
        var files: [String: Int] = [:]
        /// The files that are open, by descriptor.
        var open: [Int32: Int] = [:]
        var fileCount = 0
        var faults: [Int: FileFault] = [:]
        var attempts = 0
        var isCut = false
        var refusedFolder: String?
    }

    let root: String
    private let base: any FileLayer
    private let state = Mutex(State())

    init(root: String, over base: any FileLayer = POSIXFileLayer()) {
        self.root = root
        self.base = base
    }

    /// All changes until now.
    var operations: [FileOperation] {
        state.withLock { $0.operations }
    }

    /// How many changes were tried until now, failed ones included: the numbering that `inject` uses.
    var attemptCount: Int {
        state.withLock { $0.attempts }
    }

    /// Makes the change with number `attempt` fail, counted from 0 over all changes ever tried.
    func inject(_ fault: FileFault, at attempt: Int) {
        state.withLock { $0.faults[attempt] = fault }
    }

    /// Makes every creation of a file below the folder `path` fail, until it is called with `nil`.
    func refuseFiles(below path: String?) {
        state.withLock { $0.refusedFolder = path }
    }

    /// Cuts the power now.
    func cutPower() {
        state.withLock { $0.isCut = true }
    }

    /// Whether the power is off.
    var isCut: Bool {
        state.withLock { $0.isCut }
    }

    // MARK: Changes

    func open(_ path: String, _ access: FileAccess) throws(FileError) -> OpenFile {
        let name = relative(path)
        let makes: Bool =
            switch access {
            case .create, .createNew: try base.status(path) == nil
            case .readOnly, .readWrite: false
            }
        if makes {
            if let refused = state.withLock({ $0.refusedFolder }), path.hasPrefix(refused + "/") {
                throw FileError(operation: .open, path: path, number: EIO)
            }
            try attempt(.open, path)
        } else {
            try checkPower(.open, path)
        }
        let opened = try base.open(path, access)
        state.withLock { state in
            let file: Int
            if !makes, let known = state.files[name] {
                file = known
            } else {
                file = state.fileCount
                state.fileCount += 1
                state.files[name] = file
                if makes {
                    state.operations.append(.create(path: name, file: file))
                }
            }
            state.open[opened.number] = file
        }
        return opened
    }

    func write(_ file: OpenFile, at offset: Int64, _ bytes: Span<UInt8>) throws(FileError) {
        var length = bytes.count
        var failure: FileError?
        if let fault = try attempt(.write, file.path, canBeShort: true), fault == .shortWrite {
            length /= 2
            failure = FileError(operation: .write, path: file.path, number: ENOSPC)
        }
        let written = bytes.extracting(first: length)
        try base.write(file, at: offset, written)
        let copy = unsafe written.withUnsafeBufferPointer { unsafe [UInt8]($0) }
        record(file) { .write(file: $0, offset: offset, bytes: copy) }
        if let failure {
            throw failure
        }
    }

    func truncate(_ file: OpenFile, to size: Int64) throws(FileError) {
        try attempt(.truncate, file.path)
        try base.truncate(file, to: size)
        record(file) { .truncate(file: $0, size: size) }
    }

    func allocate(_ file: OpenFile, size: Int64) throws(FileError) {
        try attempt(.allocate, file.path)
        try base.allocate(file, size: size)
        record(file) { .truncate(file: $0, size: size) }
    }

    func synchronize(_ file: OpenFile, all: Bool) throws(FileError) {
        try attempt(.synchronize, file.path)
        // The disk is made by the test, so the real one need not be waited for.
        record(file) { .synchronize(file: $0) }
    }

    func rename(_ old: String, to new: String) throws(FileError) {
        try attempt(.rename, old)
        try base.rename(old, to: new)
        let (old, new) = (relative(old), relative(new))
        state.withLock { state in
            state.files[new] = state.files.removeValue(forKey: old)
            state.operations.append(.rename(old: old, new: new))
        }
    }

    /// Hard links are not recorded; what is asked for them copies instead.
    func link(_ old: String, to new: String) throws(FileError) {
        throw FileError(operation: .link, path: new, number: EXDEV)
    }

    func unlink(_ path: String) throws(FileError) {
        try attempt(.unlink, path)
        try base.unlink(path)
        let path = relative(path)
        state.withLock { state in
            state.files[path] = nil
            state.operations.append(.unlink(path: path))
        }
    }

    func createDirectory(_ path: String) throws(FileError) {
        try attempt(.createDirectory, path)
        try base.createDirectory(path)
        let path = relative(path)
        state.withLock { $0.operations.append(.createDirectory(path: path)) }
    }

    func removeDirectory(_ path: String) throws(FileError) {
        try attempt(.removeDirectory, path)
        try base.removeDirectory(path)
        let path = relative(path)
        state.withLock { $0.operations.append(.removeDirectory(path: path)) }
    }

    func synchronizeDirectory(_ path: String) throws(FileError) {
        try attempt(.synchronizeDirectory, path)
        guard try base.status(path)?.isDirectory == true else {
            throw FileError(operation: .synchronizeDirectory, path: path, number: ENOENT)
        }
        let path = relative(path)
        state.withLock { $0.operations.append(.synchronizeDirectory(path: path)) }
    }

    // MARK: The rest, which fails only without power

    func close(_ file: OpenFile) throws(FileError) {
        state.withLock { $0.open[file.number] = nil }
        try base.close(file)
    }

    func read(_ file: OpenFile, at offset: Int64, into buffer: inout MutableSpan<UInt8>) throws(FileError) -> Int {
        try checkPower(.read, file.path)
        return try base.read(file, at: offset, into: &buffer)
    }

    func size(_ file: OpenFile) throws(FileError) -> Int64 {
        try checkPower(.size, file.path)
        return try base.size(file)
    }

    func lock(_ file: OpenFile) throws(FileError) {
        try checkPower(.lock, file.path)
        try base.lock(file)
    }

    func unlock(_ file: OpenFile) throws(FileError) {
        try base.unlock(file)
    }

    func list(_ path: String) throws(FileError) -> [String] {
        try checkPower(.list, path)
        return try base.list(path)
    }

    func status(_ path: String) throws(FileError) -> FileStatus? {
        try checkPower(.status, path)
        return try base.status(path)
    }

    func freeSpace(_ path: String) throws(FileError) -> Int64 {
        try checkPower(.freeSpace, path)
        return try base.freeSpace(path)
    }

    // MARK: -

    /// Counts a change and lets the fault that waits for it happen; returns a short write, which the caller does.
    @discardableResult
    private func attempt(
        _ operation: FileError.Operation, _ path: String, canBeShort: Bool = false
    ) throws(FileError) -> FileFault? {
        let fault: FileFault? = state.withLock { state in
            let fault = state.isCut ? .powerCut : state.faults.removeValue(forKey: state.attempts)
            state.attempts += 1
            if fault == .powerCut {
                state.isCut = true
            }
            return fault
        }
        switch fault {
        case nil: return nil
        case .failure(let number): throw FileError(operation: operation, path: path, number: number)
        case .powerCut: throw FileError(operation: operation, path: path, number: EIO)
        case .shortWrite:
            guard canBeShort else {
                throw FileError(operation: operation, path: path, number: ENOSPC)
            }
            return fault
        }
    }

    private func checkPower(_ operation: FileError.Operation, _ path: String) throws(FileError) {
        if state.withLock({ $0.isCut }) {
            throw FileError(operation: operation, path: path, number: EIO)
        }
    }

    private func record(_ file: OpenFile, _ operation: (Int) -> FileOperation) {
        state.withLock { state in
            if let number = state.open[file.number] {
                state.operations.append(operation(number))
            }
        }
    }

    private func relative(_ path: String) -> String {
        guard path.hasPrefix(root) else {
            return path
        }
        return String(path.dropFirst(root.count).drop { $0 == "/" })
    }
}

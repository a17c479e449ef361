import OrielCompression

/// A file's bytes in two numbers.
struct FileSum: Equatable, Sendable {
    var checksum: UInt32 = 0
    var byteCount: Int64 = 0
}

extension FileLayer {
    /// Reads a file whole.
    ///
    /// - Parameter pause: called after each megabyte with its bytes; ends the work by throwing.
    func sum(_ path: String, pause: (Int64) throws -> Void) throws -> FileSum {
        let file = try open(path, .readOnly)
        defer { closeAfterFailure(file) }
        return try sum(file, pause: pause) { _, _ in }
    }

    /// Copies a file to `new`, which gets that name when its bytes are on the disk; the caller makes the name last.
    ///
    /// - Returns: what was read of the old file.
    func copySummed(_ old: String, to new: String, pause: (Int64) throws -> Void) throws -> FileSum {
        let temporary = new + ".tmp"
        let source = try open(old, .readOnly)
        defer { closeAfterFailure(source) }
        let target = try open(temporary, .create)
        let sum: FileSum
        do {
            try truncate(target, to: 0)
            sum = try self.sum(source, pause: pause) { offset, bytes throws(FileError) in try write(target, at: offset, bytes) }
            try synchronize(target, all: true)
        } catch {
            closeAfterFailure(target)
            throw error
        }
        try close(target)
        try rename(temporary, to: new)
        return sum
    }

    private func sum(_ file: OpenFile, pause: (Int64) throws -> Void, _ body: (Int64, Span<UInt8>) throws(FileError) -> Void) throws -> FileSum {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var sum = FileSum()
        while true {
            var span = buffer.mutableSpan
            let count = try read(file, at: sum.byteCount, into: &span)
            if count > 0 {
                let bytes = buffer.span.extracting(first: count)
                // Bytes have no padding, so their raw view is all initialised.
                sum.checksum = unsafe CRC32C.checksum(bytes.bytes, after: sum.checksum)
                try body(sum.byteCount, bytes)
                sum.byteCount += Int64(count)
                try pause(Int64(count))
            }
            if count < buffer.count { return sum }
        }
    }
}

/// Growing output of a decompression with a limit.
///
/// It offers room in steps that double, never more than one byte beyond the limit: that byte is how content that exceeds the limit
/// is told from content that just fits.
struct BoundedSink {
    /// Where the output began.
    let start: Int
    private let limit: Int
    private var step: Int

    /// Room is made for `expected` bytes at first if that is plausible for `inputCount` bytes of input, so that a lie in a header costs
    /// nothing.
    init(output: inout [UInt8], limit: Int, expected: Int, inputCount: Int) {
        start = output.count
        self.limit = max(limit, 0)
        let plausible = inputCount.multipliedSaturating(by: 32)
        step = max(256, min(expected, max(plausible, 4096)))
    }

    /// Offers spare room of at least one byte to `body`, which returns how many bytes it wrote from the start of it.
    /// - Throws: what `body` throws, or ``CompressionError/tooLarge(limit:)``; `output` is then as it was at the beginning.
    mutating func fill(
        _ output: inout [UInt8],
        _ body: (UnsafeMutableBufferPointer<UInt8>) throws(CompressionError) -> Int
    ) throws(CompressionError) -> Int {
        let room = min(step, limit - (output.count - start)) + (limit - (output.count - start) < step ? 1 : 0)
        var written = 0
        do throws(CompressionError) {
            try output.append(addingCapacity: room) { (spare: inout OutputSpan<UInt8>) throws(CompressionError) in
                try unsafe spare.withUnsafeMutableBufferPointer { (target, initialized) throws(CompressionError) in
                    let target = unsafe UnsafeMutableBufferPointer(rebasing: target[..<room])
                    written = unsafe try body(target)
                    initialized = written
                }
            }
        } catch {
            undo(&output)
            throw error
        }
        if output.count - start > limit {
            undo(&output)
            throw .tooLarge(limit: limit)
        }
        if written == room { step = max(step, output.count - start) }
        return written
    }

    /// Takes back everything that was appended.
    func undo(_ output: inout [UInt8]) {
        output.removeSubrange(start...)
    }
}

extension Int {
    /// The product, or the largest value if that is exceeded. For sizes, so neither factor is negative.
    func multipliedSaturating(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

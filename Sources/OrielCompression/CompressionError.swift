/// Why bytes could not be compressed or decompressed.
public enum CompressionError: Error, Equatable, Sendable {
    /// The content is, or would become, larger than the caller allows. `limit` is that many bytes.
    case tooLarge(limit: Int)
    /// The bytes are not valid. `offset` counts bytes of the compressed input up to where the fault was noticed; the library
    /// that reads a format may notice a fault a little after it.
    case corrupt(offset: Int, reason: String)
    /// The input ends before the compressed content does.
    case truncated
    /// A format, or a feature of one, that is not read or written here.
    case unsupported(name: String)
    /// The library found no memory for its working state.
    case outOfMemory
}

extension CompressionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooLarge(let limit): "the decompressed content is larger than the limit of \(limit) bytes"
        case .corrupt(let offset, let reason): "the compressed content is damaged near byte \(offset): \(reason)"
        case .truncated: "the compressed content ends too early"
        case .unsupported(let name): "\(name) is not supported"
        case .outOfMemory: "no memory for the state of the compression library"
        }
    }
}

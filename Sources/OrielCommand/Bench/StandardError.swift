import Glibc

/// Messages beside the output.
enum StandardError {
    /// Writes text to standard error.
    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        // A message that cannot be written has no better place.
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }
}

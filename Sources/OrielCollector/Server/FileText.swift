import Glibc

/// Reads small files, also those of /proc that do not know their size.
enum FileText {
    /// Why a file was not read.
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let code: Int32
        let isTooLarge: Bool

        var description: String {
            isTooLarge ? "\(path) is too large" : "\(path): \(SystemError.text(code))"
        }
    }

    /// The bytes of a file.
    ///
    /// - Throws: ``Failure`` with errno, or if the file is longer than `limit` bytes.
    static func read(_ path: String, limit: Int = 4 << 20) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path: path, code: errno, isTooLarge: false) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(path: path, code: errno, isTooLarge: false)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limit else { throw Failure(path: path, code: 0, isTooLarge: true) }
        }
    }
}

/// Words for errno.
enum SystemError {
    static func text(_ code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}

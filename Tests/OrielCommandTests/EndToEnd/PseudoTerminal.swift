import Foundation
import Glibc

/// A terminal for a program under test, with what the program prints on it.
final class PseudoTerminal {
    private let master: Int32
    /// The side that the program writes to.
    let terminal: FileHandle

    struct Failed: Error {
        let what: String
        let number = errno
    }

    init() throws {
        master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard master >= 0, grantpt(master) == 0, unlockpt(master) == 0, let name = unsafe ptsname(master) else { throw Failed(what: "posix_openpt") }
        let descriptor = unsafe open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failed(what: "open") }
        terminal = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    deinit { close(master) }

    /// Everything that is printed until the last writer has gone.
    func readAll() throws -> String {
        try terminal.close()
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe read(master, $0.baseAddress, $0.count) }
            // A terminal without writers reads as an input/output error.
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }
}

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
        master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard master >= 0 else { throw Failed(what: "open /dev/ptmx") }
        // TIOCSPTLCK and TIOCGPTN, which are behind unlockpt and ptsname; Swift imports none of the four.
        var lock: Int32 = 0
        guard unsafe ioctl(master, 0x4004_5431, &lock) == 0 else { throw Failed(what: "unlock") }
        var number: UInt32 = 0
        guard unsafe ioctl(master, 0x8004_5430, &number) == 0 else { throw Failed(what: "number") }
        let descriptor = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failed(what: "open /dev/pts/\(number)") }
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

import OrielTelemetry

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// An address that a socket can be connected to: the bytes of a `sockaddr` of some family.
struct SocketAddress: Hashable, Sendable {
    let family: Int32
    let bytes: [UInt8]
    /// For messages: `127.0.0.1`, `::1`, a path.
    let text: String

    /// One less than the room of `sun_path`, which ends in a zero.
    static let maximumUnixPathBytes = MemoryLayout<sockaddr_un>.size - MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! - 1

    /// - Parameter path: at most ``maximumUnixPathBytes`` bytes, none of them zero.
    init(unixPath path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        family = AF_UNIX
        // The address is copied byte by byte; a path that is too long is cut, where the system then finds nothing.
        var bytes = unsafe withUnsafeBytes(of: &address) { unsafe Array($0) }
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)!
        for (index, byte) in path.utf8.prefix(Self.maximumUnixPathBytes).enumerated() { bytes[offset + index] = byte }
        self.bytes = bytes
        text = path
    }

    private init(family: Int32, bytes: [UInt8], text: String) {
        self.family = family
        self.bytes = bytes
        self.text = text
    }

    /// The addresses of a host, in the order in which the system wants them tried. Blocks, as long as the system's resolver does.
    ///
    /// - Parameter isNumeric: only takes the text of an address, and then does not block.
    static func resolve(_ host: String, port: UInt16, isNumeric: Bool) throws(StreamError) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        #if canImport(Glibc)
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        unsafe hints.ai_socktype = SOCK_STREAM
        #endif
        unsafe hints.ai_flags = AI_NUMERICSERV | (isNumeric ? AI_NUMERICHOST : 0)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            let text = unsafe gai_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
            throw StreamError(.unreachable, "the host \(host) is not known: \(text)")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ai_next
            guard let address = unsafe entry.pointee.ai_addr else { continue }
            // The list says how many bytes the address has, and lives until the end of this call.
            let length = unsafe entry.pointee.ai_addrlen
            let bytes = unsafe Array(UnsafeRawBufferPointer(start: address, count: Int(length)))
            var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let isNamed = unsafe getnameinfo(address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0
            let text = isNamed ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : host
            let entry = unsafe SocketAddress(family: entry.pointee.ai_family, bytes: bytes, text: text)
            if !addresses.contains(entry) { addresses.append(entry) }
        }
        guard !addresses.isEmpty else { throw StreamError(.unreachable, "the host \(host) has no address") }
        return addresses
    }
}

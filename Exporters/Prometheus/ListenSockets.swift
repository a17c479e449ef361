#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Sockets that listen on all addresses of a host at one port.
struct ListenSockets {
    private(set) var sockets: [Descriptor] = []
    /// The first one's, in numbers: `127.0.0.1:9464`, `[::1]:9464`.
    private(set) var address = ""
    private(set) var port: UInt16 = 0

    /// - Parameter address: see ``PrometheusListener/Configuration/address``.
    init(address: String) throws(ListenerError) {
        let (host, port) = try Self.parts(of: address)
        self.port = port
        // Without a host: one socket for both families, and the older one where a system has only that.
        var failure: ListenerError?
        for host in host.isEmpty ? ["::", "0.0.0.0"] : [host] {
            do throws(ListenerError) {
                try listen(host)
                return
            } catch {
                failure = error
            }
        }
        throw failure ?? .invalidAddress(address)
    }

    private static func parts(of address: String) throws(ListenerError) -> (host: String, port: UInt16) {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else { throw .invalidAddress(address) }
        var host = address[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]"), host.count > 2 {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") || host.contains("[") {
            throw .invalidAddress(address)
        }
        return (host == "*" ? "" : String(host), port)
    }

    private mutating func listen(_ host: String) throws(ListenerError) {
        // All pointers here are valid for the calls that they are given to, and the list until it is freed at the end.
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_PASSIVE
        #if canImport(Glibc)
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        unsafe hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, "\(port)", &hints, &list)
        guard code == 0, let first = unsafe list else {
            throw .unknownHost(host, reason: unsafe gai_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)")
        }
        defer { unsafe freeaddrinfo(first) }
        var reason = "it has no address"
        var next = unsafe list
        while let info = unsafe next {
            unsafe next = info.pointee.ai_next
            let descriptor = unsafe socket(info.pointee.ai_family, Descriptor.streamType, info.pointee.ai_protocol)
            guard descriptor >= 0 else {
                reason = Self.errorText
                continue
            }
            let socket = Descriptor(descriptor)
            var one: Int32 = 1
            var both: Int32 = host == "::" ? 0 : 1
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
            if unsafe info.pointee.ai_family == AF_INET6 {
                unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &both, socklen_t(MemoryLayout<Int32>.size))
            }
            // A second address of the host is to be at the port that the first one got.
            if !sockets.isEmpty { unsafe Self.setPort(port, of: info) }
            let isBound = unsafe bind(descriptor, info.pointee.ai_addr, info.pointee.ai_addrlen) == 0
            guard isBound, Self.listen(descriptor) == 0, let (text, port) = Self.name(of: descriptor) else {
                reason = Self.errorText
                continue
            }
            if sockets.isEmpty {
                address = text
                self.port = port
            }
            sockets.append(socket)
        }
        if sockets.isEmpty { throw .cannotListen(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)", reason: reason) }
    }

    private static func listen(_ descriptor: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.listen(descriptor, 64)
        #elseif canImport(Musl)
        Musl.listen(descriptor, 64)
        #else
        Darwin.listen(descriptor, 64)
        #endif
    }

    @unsafe
    private static func setPort(_ port: UInt16, of info: UnsafeMutablePointer<addrinfo>) {
        // Both kinds of addresses have the port in the same place, in network order; `ai_addr` is as large as its family says.
        unsafe info.pointee.ai_addr.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { unsafe $0.pointee.sin_port = port.bigEndian }
    }

    /// The address that a socket is bound to.
    private static func name(of descriptor: Int32) -> (address: String, port: UInt16)? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: 256)
        var service = [CChar](repeating: 0, count: 32)
        // The storage is large enough for every family, and all pointers are valid for the calls.
        let isKnown = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe getsockname(descriptor, address, &length) == 0
                    && getnameinfo(
                        address, length, &host, socklen_t(host.count), &service, socklen_t(service.count), NI_NUMERICHOST | NI_NUMERICSERV) == 0
            }
        }
        guard isKnown else { return nil }
        let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let number = String(decoding: service.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let port = UInt16(number) else { return nil }
        return (text.contains(":") ? "[\(text)]:\(port)" : "\(text):\(port)", port)
    }

    private static var errorText: String {
        let code = errno
        return unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}

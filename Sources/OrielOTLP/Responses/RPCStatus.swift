import OrielTelemetry

/// `google.rpc.Status`: the body of an error reply over HTTP, and of `grpc-status-details-bin` over gRPC.
public struct RPCStatus: Error, Hashable, Sendable {
    /// gRPC's status codes.
    public enum Code: Int32, Hashable, Sendable, CaseIterable {
        case ok = 0
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case internalError = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16
    }

    /// Usually a ``Code``.
    public var code: Int32
    public var message: String
    /// After how many nanoseconds to try again: `google.rpc.RetryInfo` among the details. `nil` when the reply has none.
    public var retryDelay: Int64?

    public init(code: Int32, message: String, retryDelay: Int64? = nil) {
        self.code = code
        self.message = message
        self.retryDelay = retryDelay
    }

    public init(_ code: Code, _ message: String, retryDelay: Int64? = nil) {
        self.init(code: code.rawValue, message: message, retryDelay: retryDelay)
    }

    private static let retryInfoType = "type.googleapis.com/google.rpc.RetryInfo"

    /// The status in a format; a negative ``retryDelay`` is written as 0.
    public func encoded(_ format: OTLPFormat) -> [UInt8] {
        let delay = retryDelay.map { max(0, $0) }
        switch format {
        case .protobuf:
            var writer = WireWriter()
            writer.enumeration(1, code)
            writer.text(2, message)
            if let delay {
                writer.messageField(3) { writer in
                    writer.stringField(1, RPCStatus.retryInfoType)
                    // RetryInfo's field 1 is a Duration of seconds and nanoseconds.
                    writer.messageField(2) { writer in
                        writer.messageField(1) { writer in
                            if delay >= 1_000_000_000 { writer.varintField(1, UInt64(delay / 1_000_000_000)) }
                            if delay % 1_000_000_000 != 0 { writer.varintField(2, UInt64(delay % 1_000_000_000)) }
                        }
                    }
                }
            }
            return writer.bytes
        case .json:
            var writer = JSONWriter()
            writer.object { writer in
                writer.key("code")
                writer.integer(code)
                writer.key("message")
                writer.string(message)
                guard let delay else { return }
                writer.key("details")
                writer.array { writer in
                    writer.object { writer in
                        writer.key("@type")
                        writer.string(RPCStatus.retryInfoType)
                        writer.key("retryDelay")
                        writer.string(RPCStatus.durationText(delay))
                    }
                }
            }
            return writer.bytes
        }
    }

    /// Reads a status. Details of unknown types are skipped.
    public init(_ bytes: Span<UInt8>, format: OTLPFormat) throws(OTLPError) {
        self.init(code: 0, message: "")
        switch format {
        case .protobuf:
            do throws(WireError) {
                try read(protobuf: bytes)
            } catch {
                throw OTLPError(.wire(error.reason), offset: error.offset)
            }
        case .json:
            do throws(JSONError) {
                try read(json: bytes)
            } catch {
                throw OTLPError(.json(error.reason), offset: error.offset)
            }
        }
    }

    private mutating func read(protobuf bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(start: 0, end: bytes.count)
        while let tag = try reader.nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3: code = Int32(truncatingIfNeeded: try reader.varint(in: bytes))
            case 2 << 3 | 2: message = String(repairing: bytes.extracting(try reader.lengthDelimited(in: bytes)))
            case 3 << 3 | 2: try readDetail(try reader.lengthDelimited(in: bytes), in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
    }

    private mutating func readDetail(_ content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) {
        var type = 0..<0
        var value = 0..<0
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while let tag = try reader.nextTag(in: bytes) {
            switch tag.rawValue {
            case 1 << 3 | 2: type = try reader.lengthDelimited(in: bytes)
            case 2 << 3 | 2: value = try reader.lengthDelimited(in: bytes)
            default: try reader.skip(tag, in: bytes)
            }
        }
        guard String(repairing: bytes.extracting(type)) == RPCStatus.retryInfoType else { return }
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        try OTLPRequestWalk.members(1, of: value, in: bytes) { (duration) throws(WireError) in
            var reader = WireReader(start: duration.lowerBound, end: duration.upperBound)
            while let tag = try reader.nextTag(in: bytes) {
                switch tag.rawValue {
                case 1 << 3: seconds = Int64(bitPattern: try reader.varint(in: bytes))
                case 2 << 3: nanoseconds = Int64(bitPattern: try reader.varint(in: bytes))
                default: try reader.skip(tag, in: bytes)
                }
            }
        }
        retryDelay = RPCStatus.delay(seconds: seconds, nanoseconds: nanoseconds)
    }

    private mutating func read(json text: Span<UInt8>) throws(JSONError) {
        var reader = JSONReader()
        try reader.beginObject(in: text)
        while let key = try reader.nextKey(in: text) {
            if try reader.skipNull(in: text) { continue }
            if reader.matches(key, "code", in: text) {
                code = Int32(truncatingIfNeeded: try reader.integer(in: text))
            } else if reader.matches(key, "message", in: text) {
                message = try reader.string(in: text)
            } else if reader.matches(key, "details", in: text) {
                try reader.beginArray(in: text)
                while try reader.nextElement(in: text) { try readDetail(&reader, json: text) }
            } else {
                try reader.skipValue(in: text)
            }
        }
        try reader.finish(in: text)
    }

    private mutating func readDetail(_ reader: inout JSONReader, json text: Span<UInt8>) throws(JSONError) {
        var type = ""
        var delay: String?
        try reader.beginObject(in: text)
        while let key = try reader.nextKey(in: text) {
            if reader.matches(key, "@type", in: text) {
                type = try reader.string(in: text)
            } else if reader.matches(key, "retryDelay", in: text), try reader.peekKind(in: text) == .string {
                delay = try reader.string(in: text)
            } else {
                try reader.skipValue(in: text)
            }
        }
        guard type == RPCStatus.retryInfoType, let delay, delay.hasSuffix("s"), let seconds = Double(delay.dropLast()), seconds >= 0 else { return }
        retryDelay = Int64(exactly: (seconds * 1e9).rounded()) ?? .max
    }

    /// protobuf's JSON form of a duration, such as `1.5s`.
    private static func durationText(_ nanoseconds: Int64) -> String {
        let fraction = nanoseconds % 1_000_000_000
        guard fraction != 0 else { return "\(nanoseconds / 1_000_000_000)s" }
        var digits = String(fraction)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(nanoseconds / 1_000_000_000).\(digits)s"
    }

    private static func delay(seconds: Int64, nanoseconds: Int64) -> Int64 {
        guard seconds >= 0, nanoseconds >= 0 else { return 0 }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product.addingSaturating(nanoseconds)
    }
}

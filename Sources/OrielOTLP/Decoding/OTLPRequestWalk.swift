import OrielTelemetry

/// The frame that all three signals share: groups by resource, in them groups by scope, in them rows.
enum OTLPRequestWalk {
    /// A `ResourceSpans` or `ScopeSpans` (or their siblings): where its identity lies, its schema URL, and whether it has members at all.
    /// Fields may come in any order and an embedded
    /// message in several pieces, so a group is looked through once before its members are read.
    struct Group {
        /// The contents of field 1, usually one.
        var identity = 0..<0
        var moreIdentities: [Range<Int>] = []
        var schemaURL = 0..<0

        init(_ content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) {
            var reader = WireReader(start: content.lowerBound, end: content.upperBound)
            var hasIdentity = false
            while let tag = try reader.nextTag(in: bytes) {
                switch tag.rawValue {
                case 1 << 3 | 2:
                    let range = try reader.lengthDelimited(in: bytes)
                    if hasIdentity { moreIdentities.append(range) } else { identity = range }
                    hasIdentity = true
                case 2 << 3 | 2: _ = try reader.lengthDelimited(in: bytes)
                case 3 << 3 | 2: schemaURL = try reader.lengthDelimited(in: bytes)
                default:
                    guard !(1...3).contains(tag.number) else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                    try reader.skip(tag, in: bytes)
                }
            }
        }
    }

    /// Calls `body` with each content of field `number`, which must be length-delimited; all else was checked by ``Group`` or is unknown.
    static func members(
        _ number: UInt32, of content: Range<Int>, in bytes: Span<UInt8>, _ body: (Range<Int>) throws(WireError) -> Void
    ) throws(WireError) {
        var reader = WireReader(start: content.lowerBound, end: content.upperBound)
        while let tag = try reader.nextTag(in: bytes) {
            if tag.number == number {
                guard tag.wireType == 2 else { throw WireError(.unexpectedWireType, offset: reader.offset) }
                try body(try reader.lengthDelimited(in: bytes))
            } else {
                try reader.skip(tag, in: bytes)
            }
        }
    }

    /// Walks a traces or logs request: `body` gets the place of each row and its stream.
    static func rows(
        _ bytes: Span<UInt8>, root: OTLPMessage, streams: inout OTLPStreamCache, rejections: inout OTLPRejections,
        _ body: (Range<Int>, Int, inout OTLPStreamCache, inout OTLPRejections) throws(WireError) -> Void
    ) throws(WireError) {
        streams.beginRequest()
        try members(1, of: 0..<bytes.count, in: bytes) { (resourceContent) throws(WireError) in
            let resourceGroup = try Group(resourceContent, in: bytes)
            let resource: Int
            do throws(WireError) {
                resource = try streams.resource(resourceGroup, in: bytes)
            } catch {
                var count = 0
                try members(2, of: resourceContent, in: bytes) { (scopeContent) throws(WireError) in
                    count += try memberCount(2, of: scopeContent, in: bytes)
                }
                try reject(rows: count, for: error, root: root, in: bytes, rejections: &rejections)
                return
            }
            try members(2, of: resourceContent, in: bytes) { (scopeContent) throws(WireError) in
                let scopeGroup = try Group(scopeContent, in: bytes)
                do throws(WireError) {
                    guard let stream = try streams.stream(resource: resource, scope: scopeGroup, in: bytes) else {
                        let count = try memberCount(2, of: scopeContent, in: bytes)
                        rejections.reject(
                            rows: count, "\(bytes.rowPath(scopeContent, root: root)): the request's resources and scopes take too many bytes")
                        return
                    }
                    try members(2, of: scopeContent, in: bytes) { (row) throws(WireError) in try body(row, stream, &streams, &rejections) }
                } catch {
                    let count = try memberCount(2, of: scopeContent, in: bytes)
                    try reject(rows: count, for: error, root: root, in: bytes, rejections: &rejections)
                }
            }
        }
    }

    /// Rejects the rows of a resource or scope that is nested too deeply; any other error is thrown on. (Rows reject themselves, so no such error comes from them.)
    static func reject(
        rows: Int, for error: WireError, root: OTLPMessage, in bytes: Span<UInt8>, rejections: inout OTLPRejections
    ) throws(WireError) {
        guard case .nestingTooDeep(let limit) = error.reason else { throw error }
        rejections.reject(rows: rows, "\(root.path(to: error.offset, in: bytes)): values nested deeper than \(limit)")
    }

    private static func memberCount(_ number: UInt32, of content: Range<Int>, in bytes: Span<UInt8>) throws(WireError) -> Int {
        var count = 0
        try members(number, of: content, in: bytes) { (_) throws(WireError) in count += 1 }
        return count
    }
}

extension Span<UInt8> {
    /// The path of a row that is rejected; see ``OTLPMessage/path(to:in:)``.
    func rowPath(_ row: Range<Int>, root: OTLPMessage) -> String {
        // The byte before the content is its length, which belongs to the row and to nothing inside it.
        root.path(to: row.lowerBound - 1, in: self)
    }
}

import Tracing

/// What to leave out of a span that is larger than a record may be.
extension SpanRecording.State {
    /// Bytes of an encoded span from which on it is cut. Below the most that a queue takes, by more than what is not cut can need: names, ids, times.
    static let recordLimit = 960 << 10

    /// The same with long texts cut, so that it is no larger than ``recordLimit``, and without what has no room then, which is counted.
    ///
    /// Each part gets the same room, and what one does not need goes to those that need more: one long text takes nothing from the many short ones beside it.
    func cut(_ limits: Oriel.SpanLimits) -> Self {
        var result = self
        result.attributes = attributes.resolved(limits)
        result.events = events.map { event in
            var event = event
            event.attributes = event.attributes.resolved(limits)
            return event
        }
        result.links = links.map { SpanRecording.Link(context: $0.context, attributes: $0.attributes.resolved(limits)) }

        let eventSizes = result.events.map { $0.name.limited(to: limits.nameLength).utf8.count + $0.attributes.size + ByteShares.overhead }
        let linkSizes = result.links.map { $0.context.traceState.utf8.count + $0.attributes.size + 2 * ByteShares.overhead }
        let message = status?.message ?? ""
        let shares = ByteShares(
            of: [message.utf8.count, result.attributes.size, linkSizes.reduce(0, +), eventSizes.reduce(0, +)], in: Self.recordLimit)
        if let status { result.status = SpanStatus(code: status.code, message: status.message?.cut(characters: .max, bytes: shares[0])) }
        var dropped = 0
        dropped += result.attributes.cut(to: shares[1])

        let linkShares = ByteShares(of: linkSizes, in: shares[2])
        let eventShares = ByteShares(of: eventSizes, in: shares[3])
        let (links, events) = (result.links, result.events)
        result.links = []
        for (index, link) in links.enumerated() {
            var attributes = link.attributes
            let lost = attributes.cut(to: linkShares[index] - (linkSizes[index] - attributes.size))
            // One that cannot be told in full is left out, since a link or an event cannot count what was lost of it.
            if lost == 0 { result.links.append(SpanRecording.Link(context: link.context, attributes: attributes)) }
        }
        result.events = []
        for (index, event) in events.enumerated() {
            var event = event
            let lost = event.attributes.cut(to: eventShares[index] - (eventSizes[index] - event.attributes.size))
            if lost == 0 { result.events.append(event) }
        }
        result.droppedAttributes &+= UInt32(clamping: dropped)
        result.droppedLinks &+= UInt32(clamping: links.count - result.links.count)
        result.droppedEvents &+= UInt32(clamping: events.count - result.events.count)
        return result
    }
}

/// How much room each of several parts gets: what it needs, or as much as all others that need more than there is.
private struct ByteShares {
    /// Bytes that an attribute, an event or half a link needs beside its texts, at most.
    static let overhead = 32

    private var shares: [Int]

    init(of sizes: [Int], in room: Int) {
        shares = sizes
        var room = max(room, 0)
        for (position, index) in sizes.indices.sorted(by: { sizes[$0] < sizes[$1] }).enumerated() {
            shares[index] = min(sizes[index], room / (sizes.count - position))
            room -= shares[index]
        }
    }

    subscript(index: Int) -> Int { shares[index] }
}

extension SpanAttributes {
    /// Bytes of the encoded attributes, at most.
    fileprivate var size: Int {
        var size = 0
        forEach { size += $0.utf8.count + $1.size + ByteShares.overhead }
        return size
    }

    /// The same with texts in place of what only describes itself, cut to the limit.
    fileprivate func resolved(_ limits: Oriel.SpanLimits) -> SpanAttributes {
        var result = self
        forEach { key, value in
            switch value {
            case .string(let text): result.set(key, value: .string(text.limited(to: limits.attributeValueLength)))
            case .stringConvertible(let value): result.set(key, value: .string(value.description.limited(to: limits.attributeValueLength)))
            case .stringArray(let texts): result.set(key, value: .stringArray(texts.map { $0.limited(to: limits.attributeValueLength) }))
            case .stringConvertibleArray(let values):
                result.set(key, value: .stringArray(values.map { $0.description.limited(to: limits.attributeValueLength) }))
            default: break
            }
        }
        return result
    }

    /// Cuts texts so that all need no more than these bytes. What cannot be cut goes.
    ///
    /// - Returns: how many went.
    fileprivate mutating func cut(to room: Int) -> Int {
        var entries: [(key: String, value: SpanAttribute)] = []
        forEach { entries.append(($0, $1)) }
        let sizes = entries.map { $0.key.utf8.count + $0.value.size + ByteShares.overhead }
        let shares = ByteShares(of: sizes, in: room)
        var dropped = 0
        for (index, entry) in entries.enumerated() where shares[index] < sizes[index] {
            let room = shares[index] - entry.key.utf8.count - ByteShares.overhead
            if case .string(let text) = entry.value, room > 0 {
                set(entry.key, value: .string(text.cut(characters: .max, bytes: room)))
            } else {
                set(entry.key, value: nil)
                dropped += 1
            }
        }
        return dropped
    }
}

extension SpanAttribute {
    /// Bytes of the encoded value, at most, less ``ByteShares/overhead``.
    fileprivate var size: Int {
        switch self {
        case .string(let text): text.utf8.count
        case .stringArray(let texts): texts.reduce(0) { $0 + $1.utf8.count + ByteShares.overhead }
        case .int32Array(let numbers): numbers.count * 16
        case .int64Array(let numbers): numbers.count * 16
        case .doubleArray(let numbers): numbers.count * 16
        case .boolArray(let flags): flags.count * 16
        default: 0
        }
    }
}

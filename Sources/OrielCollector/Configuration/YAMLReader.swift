import CYAML

/// Reads one YAML document into nodes through libyaml's events.
///
/// Configuration needs no anchors, aliases or tags, and they are refused: with them a small file can stand for an enormous one.
/// The libyaml structures do not leave this file.
struct YAMLReader {
    /// How deep sequences and mappings may nest.
    static let maximumDepth = 16
    /// How many nodes a document may have.
    static let maximumNodes = 20_000

    private enum Event {
        case documentEnd
        case scalar(String, isPlain: Bool)
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }

    private var events: [(event: Event, position: YAMLPosition)]
    private var next = 0
    private var nodes = 0

    /// The root of the document, or nil if the text holds none.
    static func read(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode? {
        var reader = YAMLReader(events: try events(of: bytes))
        guard let first = reader.events.first else { return nil }
        if case .documentEnd = first.event { return nil }
        let root = try reader.node(depth: 0)
        return root
    }

    private init(events: [(event: Event, position: YAMLPosition)]) {
        self.events = events
    }

    private mutating func take() throws(YAMLError) -> (event: Event, position: YAMLPosition) {
        guard next < events.count else {
            throw YAMLError(position: events.last?.position ?? YAMLPosition(line: 1, column: 1), problem: "the document ends too early")
        }
        defer { next += 1 }
        return events[next]
    }

    private mutating func node(depth: Int) throws(YAMLError) -> YAMLNode {
        let (event, position) = try take()
        guard depth < Self.maximumDepth else {
            throw YAMLError(position: position, problem: "nested deeper than \(Self.maximumDepth) levels")
        }
        switch event {
        case .scalar(let text, let isPlain):
            return YAMLNode(value: .scalar(text, isPlain: isPlain), position: position)
        case .sequenceStart:
            var items: [YAMLNode] = []
            while true {
                if case .sequenceEnd = events[next].event { break }
                items.append(try node(depth: depth + 1))
            }
            next += 1
            return YAMLNode(value: .sequence(items), position: position)
        case .mappingStart:
            var entries: [YAMLNode.Entry] = []
            var seen: [String: YAMLPosition] = [:]
            while true {
                if case .mappingEnd = events[next].event { break }
                let key = try node(depth: depth + 1)
                guard case .scalar(let name, _) = key.value else {
                    throw YAMLError(position: key.position, problem: "a key must be plain text")
                }
                if let first = seen.updateValue(key.position, forKey: name) {
                    throw YAMLError(position: key.position, problem: "\"\(name)\" is given twice, first at \(first)")
                }
                entries.append(.init(key: name, keyPosition: key.position, value: try node(depth: depth + 1)))
            }
            next += 1
            return YAMLNode(value: .mapping(entries), position: position)
        case .documentEnd, .sequenceEnd, .mappingEnd:
            throw YAMLError(position: position, problem: "a value is missing")
        }
    }

    /// All events of the first document; libyaml guarantees that starts and ends match.
    private static func events(of bytes: [UInt8]) throws(YAMLError) -> [(event: Event, position: YAMLPosition)] {
        var events: [(event: Event, position: YAMLPosition)] = []
        var failure: YAMLError?
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var parser = unsafe yaml_parser_t()
            guard unsafe yaml_parser_initialize(&parser) == 1 else {
                failure = YAMLError(position: YAMLPosition(line: 1, column: 1), problem: "no memory for the YAML parser")
                return
            }
            defer { unsafe yaml_parser_delete(&parser) }
            unsafe yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            unsafe yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            var documents = 0
            while true {
                var event = unsafe yaml_event_t()
                guard unsafe yaml_parser_parse(&parser, &event) == 1 else {
                    let mark = unsafe parser.problem_mark
                    let problem = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "not valid YAML"
                    failure = YAMLError(position: YAMLPosition(line: Int(mark.line) + 1, column: Int(mark.column) + 1), problem: problem)
                    return
                }
                defer { unsafe yaml_event_delete(&event) }
                let position = unsafe YAMLPosition(line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
                func refuse(_ problem: String) { failure = YAMLError(position: position, problem: problem) }
                switch unsafe event.type {
                case YAML_STREAM_END_EVENT:
                    return
                case YAML_DOCUMENT_START_EVENT:
                    documents += 1
                    if documents > 1 { return refuse("a second document; the file must hold one") }
                case YAML_DOCUMENT_END_EVENT:
                    events.append((.documentEnd, position))
                case YAML_SCALAR_EVENT:
                    let scalar = unsafe event.data.scalar
                    if unsafe scalar.anchor != nil || scalar.tag != nil { return refuse("anchors and tags are not supported") }
                    let text = unsafe String(
                        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
                    events.append((.scalar(text, isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE), position))
                case YAML_SEQUENCE_START_EVENT:
                    let start = unsafe event.data.sequence_start
                    if unsafe start.anchor != nil || start.tag != nil { return refuse("anchors and tags are not supported") }
                    events.append((.sequenceStart, position))
                case YAML_SEQUENCE_END_EVENT:
                    events.append((.sequenceEnd, position))
                case YAML_MAPPING_START_EVENT:
                    let start = unsafe event.data.mapping_start
                    if unsafe start.anchor != nil || start.tag != nil { return refuse("anchors and tags are not supported") }
                    events.append((.mappingStart, position))
                case YAML_MAPPING_END_EVENT:
                    events.append((.mappingEnd, position))
                case YAML_ALIAS_EVENT:
                    return refuse("aliases are not supported")
                default:
                    break
                }
                if events.count > maximumNodes { return refuse("the document has more than \(maximumNodes) parts") }
            }
        }
        if let failure { throw failure }
        return events
    }
}

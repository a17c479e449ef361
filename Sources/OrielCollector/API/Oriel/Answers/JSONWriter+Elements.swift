import OrielTelemetry

/// Elements of a JSON array that one of several tasks writes.
struct JSONElements: Sendable {
    /// Where the elements go.
    var json = JSONWriter()
    /// Behind each element that was written, where it ends.
    fileprivate private(set) var ends: [Int] = []
    /// What was asked of the answer's memory.
    fileprivate private(set) var heldBytes = 0
    private let room: Int
    private let memory: AnswerMemory

    /// - Parameters:
    ///   - room: Bytes after which the next element belongs to another page.
    ///   - memory: What the answer takes.
    fileprivate init(room: Int, memory: AnswerMemory) {
        self.room = room
        self.memory = memory
    }

    /// Asks for the memory that elements are expected to take, so that it need not be moved while they grow.
    fileprivate mutating func reserve(_ bytes: Int) throws(APIError) {
        try memory.add(bytes)
        heldBytes = bytes
        json.bytes.reserveCapacity(bytes)
    }

    /// Counts the element that was written; whether there is room for a further one.
    ///
    /// - Throws: 503 when other answers hold the memory that it takes.
    mutating func finishElement() throws(APIError) -> Bool {
        ends.append(json.bytes.count)
        if json.bytes.capacity > heldBytes {
            try memory.add(json.bytes.capacity - heldBytes)
            heldBytes = json.bytes.capacity
        }
        return json.bytes.count <= room
    }
}

extension JSONWriter {
    /// Elements that one task writes: enough that starting it costs nothing beside.
    private static let elementsOfATask = 512
    /// Tasks that write at a time. What they have written is held beside the answer until it is a part of it.
    private static let tasks = 4

    /// Writes very many elements of the array that is open, on all cores, until all are there or the page is full.
    ///
    /// - Parameters:
    ///   - total: How many elements there are.
    ///   - size: The bytes that an element takes, about: so much is asked for before it is written.
    ///   - memory: What the answer takes.
    ///   - write: Writes a range of the elements and says so of each by ``JSONElements/finishElement()``.
    /// - Returns: How many were written; at least one of any.
    /// - Throws: What `write` throws, and 503 when other answers hold the memory that it takes.
    mutating func elements(
        count total: Int, ofAbout size: Int, memory: AnswerMemory, _ write: @escaping @Sendable (Range<Int>, inout JSONElements) throws(APIError) -> Void
    ) async throws(APIError) -> Int {
        var count = 0
        let expected = min(bytes.count + total * size, OrielAPI.pageBytes)
        try memory.hold(expected)
        bytes.reserveCapacity(expected)
        while count < total {
            let ranges = stride(from: count, to: min(total, count + Self.tasks * Self.elementsOfATask), by: Self.elementsOfATask).map { start in
                start..<min(total, start + Self.elementsOfATask)
            }
            let parts = try await Self.parts(ranges, ofAbout: size, room: OrielAPI.pageBytes - bytes.count, memory, write)
            var isFull = false
            for (part, range) in zip(parts, ranges) {
                // All of it, or up to the element that fills the page.
                let room = OrielAPI.pageBytes - bytes.count
                let taken = min(part.ends.count, (part.ends.firstIndex { $0 > room } ?? part.ends.count) + 1)
                if taken > 0 { raw(part.json.bytes.span.extracting(0..<part.ends[taken - 1])) }
                count += taken
                isFull = taken < range.count || bytes.count > OrielAPI.pageBytes
                if isFull { break }
            }
            memory.remove(parts.reduce(0) { $0 + $1.heldBytes })
            try memory.hold(bytes.capacity)
            if isFull { break }
        }
        return count
    }

    private static func parts(
        _ ranges: [Range<Int>], ofAbout size: Int, room: Int, _ memory: AnswerMemory,
        _ write: @escaping @Sendable (Range<Int>, inout JSONElements) throws(APIError) -> Void
    ) async throws(APIError) -> [JSONElements] {
        @Sendable func part(_ range: Range<Int>) -> Result<JSONElements, APIError> {
            var part = JSONElements(room: room, memory: memory)
            do throws(APIError) {
                try part.reserve(min(range.count * size, room))
                try write(range, &part)
                return .success(part)
            } catch {
                return .failure(error)
            }
        }
        guard ranges.count > 1 else { return try ranges.map { range throws(APIError) in try part(range).get() } }
        let results = await withTaskGroup(of: (index: Int, result: Result<JSONElements, APIError>).self) { group in
            for (index, range) in ranges.enumerated() { group.addTask { (index, part(range)) } }
            var results: [Int: Result<JSONElements, APIError>] = [:]
            for await (index, result) in group { results[index] = result }
            return results
        }
        var parts: [JSONElements] = []
        for index in ranges.indices {
            if let result = results[index] { parts.append(try result.get()) }
        }
        return parts
    }
}

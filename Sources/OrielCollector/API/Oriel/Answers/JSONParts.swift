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

    /// Drops the elements behind the one that takes more than `room` bytes, if any.
    ///
    /// - Returns: How many are left.
    fileprivate mutating func take(room: Int) -> Int {
        guard let last = ends.firstIndex(where: { $0 > room }), last + 1 < ends.count else { return ends.count }
        ends.removeSubrange((last + 1)...)
        json.bytes.removeSubrange(ends[last]...)
        return ends.count
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

/// JSON text of which several tasks write the elements of an array: the parts follow each other, and are not copied into one.
struct JSONParts: Sendable {
    /// Writes what comes before, between and behind these elements.
    var json = JSONWriter()
    private var parts: [[UInt8]] = []
    private let memory: AnswerMemory

    /// Elements that one task writes: enough that starting it costs nothing beside.
    private static let elementsOfATask = 512
    /// Tasks that write at a time: what they write behind the end of a page is in vain.
    private static let tasks = 4

    /// - Parameter memory: What the answer takes.
    init(memory: AnswerMemory) {
        self.memory = memory
    }

    /// Writes very many elements of the array that is open, on all cores, until all are there or the page is full.
    ///
    /// - Parameters:
    ///   - total: How many elements there are.
    ///   - size: The bytes that an element takes, about: so much is asked for before it is written.
    ///   - write: Writes a range of the elements and says so of each by ``JSONElements/finishElement()``.
    /// - Returns: How many were written; at least one of any.
    /// - Throws: What `write` throws, and 503 when other answers hold the memory that it takes.
    mutating func elements(
        count total: Int, ofAbout size: Int, _ write: @escaping @Sendable (Range<Int>, inout JSONElements) throws(APIError) -> Void
    ) async throws(APIError) -> Int {
        var count = 0
        var byteCount = json.bytes.count
        while count < total, byteCount <= OrielAPI.pageBytes {
            let ranges = stride(from: count, to: min(total, count + Self.tasks * Self.elementsOfATask), by: Self.elementsOfATask).map { start in
                start..<min(total, start + Self.elementsOfATask)
            }
            let written = try await Self.write(ranges, ofAbout: size, room: OrielAPI.pageBytes - byteCount, memory, write)
            for (var part, range) in zip(written, ranges) {
                // All of it, or up to the element that fills the page.
                let taken = byteCount > OrielAPI.pageBytes ? 0 : part.take(room: OrielAPI.pageBytes - byteCount)
                guard taken > 0 else {
                    memory.remove(part.heldBytes)
                    continue
                }
                byteCount += part.json.bytes.count
                append(part.json.bytes)
                count += taken
                // What comes behind would not follow.
                if taken < range.count { byteCount = max(byteCount, OrielAPI.pageBytes + 1) }
            }
        }
        return count
    }

    /// Adds elements that were written elsewhere.
    private mutating func append(_ elements: [UInt8]) {
        json.beginRaw()
        endPart()
        parts.append(elements)
    }

    private mutating func endPart() {
        if json.bytes.isEmpty { return }
        parts.append(json.bytes)
        json.bytes = []
    }

    /// Ends the text.
    consuming func finish() -> [[UInt8]] {
        endPart()
        return parts
    }

    private static func write(
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

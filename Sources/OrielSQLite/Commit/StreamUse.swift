import OrielTelemetry

/// When streams had rows last, as far as requests since the last exchange of the registry tell.
struct StreamUse: Sendable {
    /// By reference the minute since 1970, 0 when there were none.
    private var minutes: [UInt32] = []

    private static func minute(_ time: Timestamp) -> UInt32 { UInt32(clamping: time.nanoseconds / 60_000_000_000) }

    init() {}

    /// All references below `count` have rows now.
    init(count: Int, now: Timestamp) {
        minutes = Array(repeating: StreamUse.minute(now), count: count)
    }

    /// Notes the rows of a commit.
    mutating func note(_ contents: CommitContents, now: Timestamp) {
        let minute = StreamUse.minute(now)
        contents.forEachReference { note($0, minute) }
    }

    mutating func note(_ references: [StreamReference], now: Timestamp) {
        for reference in references { note(reference, StreamUse.minute(now)) }
    }

    private mutating func note(_ reference: StreamReference, _ minute: UInt32) {
        let index = Int(reference)
        if index >= minutes.count { minutes.append(contentsOf: repeatElement(0, count: max(index + 1 - minutes.count, minutes.count / 2))) }
        minutes[index] = minute
    }

    /// The streams that had rows at `time` or later, ascending.
    func references(since time: Timestamp) -> [StreamReference] {
        let least = max(1, StreamUse.minute(time))
        return minutes.indices.lazy.filter { minutes[$0] >= least }.map { StreamReference($0) }
    }
}

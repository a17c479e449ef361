import OrielStore
import OrielTelemetry

/// How fast the store grows: sizes at times of the last day, and what their first and last say.
struct GrowthRecord: Sendable {
    struct Point: Sendable {
        var time: Timestamp
        /// By signal: bytes of files, with those that floors have removed since the start.
        var written: [Signal: Int64]
        /// Bytes of the folder.
        var used: Int64
    }

    /// Oldest first.
    private var points: [Point] = []

    /// Nanoseconds between two points, and between the first and the last at most.
    static let step: Int64 = 300_000_000_000
    static let window: Int64 = 86_400_000_000_000
    /// Nanoseconds from which on two points say something.
    static let shortest: Int64 = 600_000_000_000

    /// Notes sizes, if the last were noted long enough ago.
    mutating func note(_ point: Point) {
        if let last = points.last {
            // After a clock that was set back the old points would say nothing for long.
            if point.time < last.time { points = [] }
            guard points.isEmpty || point.time.nanoseconds - last.time.nanoseconds >= GrowthRecord.step else { return }
        }
        points.append(point)
        while let first = points.first, point.time.nanoseconds - first.time.nanoseconds > GrowthRecord.window { points.removeFirst() }
    }

    /// Days from the first point to `point`, when they are enough to say something.
    private func days(to point: Point) -> Double? {
        guard let first = points.first, point.time.nanoseconds.subtractingSaturating(first.time.nanoseconds) >= GrowthRecord.shortest else { return nil }
        return Double(point.time.nanoseconds - first.time.nanoseconds) / 86_400e9
    }

    /// Bytes that come in a day by signal, whatever goes; `nil` when too little time has passed.
    func bytesPerDay(at point: Point) -> [Signal: Double]? {
        guard let days = days(to: point), let first = points.first else { return nil }
        var result: [Signal: Double] = [:]
        for (signal, bytes) in point.written {
            result[signal] = max(0, Double(bytes - (first.written[signal] ?? 0)) / days)
        }
        return result
    }

    /// Seconds until `room` more bytes are taken, if it goes on like this; `nil` when it does not grow or too little time has passed.
    func secondsUntilFull(room: Int64, at point: Point) -> Double? {
        if room <= 0 { return 0 }
        guard let days = days(to: point), let first = points.first else { return nil }
        let perSecond = Double(point.used - first.used) / (days * 86_400)
        return perSecond > 0 ? Double(room) / perSecond : nil
    }
}

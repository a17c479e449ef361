import OrielStore
import OrielTelemetry

/// A UTC day, counted from 1970-01-01. Blocks never span two.
struct Day: Hashable, Comparable, Sendable {
    var number: Int32

    static let nanoseconds: Int64 = 86_400_000_000_000

    init(number: Int32) {
        self.number = number
    }

    /// The day of a row's time in its signal's unit. A time is at most 106,752 days away from 1970, so the number always fits.
    init(time: Int64, signal: Signal) {
        let unitsPerDay = Day.nanoseconds / signal.nanosecondsPerTimeUnit
        // Milliseconds reach further than days fit into Int32; such times are refused before they get here, and saturate for queries.
        number = Int32(clamping: time.dividedRoundingDown(by: unitsPerDay))
    }

    static func < (left: Day, right: Day) -> Bool { left.number < right.number }

    /// The folder's name: `yyyymmdd`, proleptic Gregorian. Howard Hinnant's days-to-civil arithmetic (eras of 400 years counted from 1 March).
    var folderName: String {
        let shifted = Int64(number) + 719_468
        let era = shifted.dividedRoundingDown(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return padded(year, 4) + padded(month, 2) + padded(day, 2)
    }
}

/// An aligned span of time within which rows are sorted by stream first: 2 h for metrics, 15 min for logs and spans.
struct Slot: Hashable, Comparable, Sendable {
    /// Counted from 1970 in units of the signal's slot length.
    var number: Int64

    init(number: Int64) {
        self.number = number
    }

    /// The slot of a row's time in its signal's unit.
    init(time: Int64, signal: Signal) {
        number = time.dividedRoundingDown(by: Slot.length(of: signal))
    }

    /// The slot length in the signal's time unit. Divides a day.
    static func length(of signal: Signal) -> Int64 {
        signal.isMetric ? 7_200_000 : 900_000_000_000
    }

    static func < (left: Slot, right: Slot) -> Bool { left.number < right.number }
}

extension Int64 {
    func dividedRoundingDown(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

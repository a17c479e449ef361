import OrielTelemetry
import Testing

@Suite struct TextTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00.000000000Z", Int64(0)),
        ("2026-11-24T15:20:28.123456789Z", 1_795_533_628_123_456_789),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2000-02-29T12:00:00.000000000Z", 951_825_600_000_000_000),
        ("1677-09-21T00:12:43.145224192Z", .min),
        ("2262-04-11T23:47:16.854775807Z", .max),
    ])
    func rfc3339BothWays(text: String, nanoseconds: Int64) {
        #expect(Timestamp(nanoseconds: nanoseconds).rfc3339 == text)
        var bytes: [UInt8] = []
        Timestamp(nanoseconds: nanoseconds).appendRFC3339(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
        #expect(Timestamp(rfc3339: text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        ("2026-11-24T16:20:28.5+01:00", "2026-11-24T15:20:28.500000000Z"), ("2026-11-24t15:20:28z", "2026-11-24T15:20:28.000000000Z"),
        ("2026-11-24 15:20:28.1234567891-00:30", "2026-11-24T15:50:28.123456789Z"),
    ])
    func rfc3339Variants(text: String, canonical: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339 == canonical)
    }

    @Test(arguments: [
        "", "2026-11-24", "2026-11-24T15:20:28", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T15:20Z",
        "2026-11-24T15:20:28.Z", "2026-11-24T15:20:28Zx", "9999-01-01T00:00:00Z", "1600-01-01T00:00:00Z", "２026-11-24T15:20:28Z",
    ])
    func notRFC3339(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func everyDayOfFourCenturiesKeepsItsDate() {
        var expected = CivilTime(year: 1899, month: 12, day: 31)
        for day in Int64(-25_568)...Int64(120_530) {
            let time = CivilTime(secondsSince1970: day * 86_400 + 3_599)
            let next = (time.year, time.month, time.day)
            #expect(time.isValid && time.secondsSince1970 == day * 86_400 + 3_599)
            if day > -25_568, next.2 != 1 { #expect(next.2 == expected.day + 1) }
            expected = time
        }
    }

    @Test(arguments: [
        ("0", Int64(0)), ("250ms", 250_000_000), ("1.5s", 1_500_000_000), ("1h30m", 5_400_000_000_000), ("2d", 172_800_000_000_000), ("3us", 3_000),
        ("3µs", 3_000), ("1w", 604_800_000_000_000), ("0.001ms", 1_000),
    ])
    func durations(text: String, nanoseconds: Int64) {
        #expect(DurationText.nanoseconds(text) == nanoseconds)
    }

    @Test(arguments: ["", "5", "ms", "1.2.3s", "-1s", "1x", "1 s", "300y", "9999999w", "99999999999999999999s", "1.s s", "1e3s"])
    func notDurations(text: String) {
        #expect(DurationText.nanoseconds(text) == nil)
    }

    @Test(arguments: [
        (Int64(0), "0"), (512, "512ns"), (12_345, "12.3µs"), (1_000, "1µs"), (250_000_000, "250ms"), (1_234_567_890, "1.23s"), (999_600, "1ms"),
        (99_960_000, "100ms"), (9_996_000, "10ms"), (59_940_000_000, "59.9s"), (59_960_000_000, "1m00s"), (125_000_000_000, "2m05s"),
        (10_920_000_000_000, "3h02m"), (-250_000_000, "-250ms"), (360_000_000_000_000, "4d04h"), (Int64.max, "106751d23h"), (Int64.min, "-106751d23h"),
    ])
    func shortDurations(nanoseconds: Int64, text: String) {
        #expect(DurationText.short(nanoseconds) == text)
    }

    @Test(
        arguments: [
            ("now", "2026-11-24T15:20:28.000000000Z"), ("1h", "2026-11-24T14:20:28.000000000Z"), ("-90m", "2026-11-24T13:50:28.000000000Z"),
            ("2d ago", "2026-11-22T15:20:28.000000000Z"), ("yesterday 14:00", "2026-11-23T14:00:00.000000000Z"), ("today", "2026-11-24T00:00:00.000000000Z"),
            ("Monday 09:30", "2026-11-23T09:30:00.000000000Z"), ("tuesday", "2026-11-17T00:00:00.000000000Z"), ("14:00:05.5", "2026-11-24T14:00:05.500000000Z"),
            ("2026-03-01", "2026-03-01T00:00:00.000000000Z"), ("2026-03-01 07:08", "2026-03-01T07:08:00.000000000Z"),
            ("1763992800", "2025-11-24T14:00:00.000000000Z"), ("1763992800000", "2025-11-24T14:00:00.000000000Z"),
            ("1763992800000001", "2025-11-24T14:00:00.000001000Z"), ("1763992800000000001", "2025-11-24T14:00:00.000000001Z"),
            ("1763992800.25", "2025-11-24T14:00:00.250000000Z"), ("2026-11-24T15:20:28+01:00", "2026-11-24T14:20:28.000000000Z"),
            ("yesterday 24:00", nil), ("tomorrow", nil), ("1763992800.", nil), ("14:0", nil), ("", nil), ("9223372036854775808", nil), ("today 14:00 x", nil),
        ] as [(String, String?)])
    func timeExpressions(text: String, expected: String?) throws {
        let now = try #require(Timestamp(rfc3339: "2026-11-24T15:20:28Z"))
        #expect(TimeExpression.timestamp(text, now: now, zone: .utc)?.rfc3339 == expected)
    }

    @Test func localTimesReadBackWhatIsShown() throws {
        let now = try #require(Timestamp(rfc3339: "2026-07-24T15:20:28Z"))
        let shown = now.rfc3339(in: .local, fractionDigits: 0)
        #expect(Timestamp(rfc3339: shown) == now)
        #expect(TimeExpression.timestamp(shown.prefix(19).description, now: now, zone: .local) == now)
    }

    @Test func suggestions() {
        let names = ["service", "severity", "since", "start", "status"]
        #expect(Suggestion.closest(to: "servce", in: names) == "service")
        #expect(Suggestion.closest(to: "SERVICE", in: names) == "service")
        #expect(Suggestion.closest(to: "sicne", in: names) == "since")
        #expect(Suggestion.closest(to: "banana", in: names) == nil)
        #expect(Suggestion.closest(to: "", in: names) == nil)
        #expect(Suggestion.closest(to: String(repeating: "x", count: 10_000), in: names) == nil)
        #expect(Suggestion.hint(for: "statsu", in: names) == " (did you mean \"status\"?)")
    }
}

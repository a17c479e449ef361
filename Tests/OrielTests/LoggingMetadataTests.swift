import Logging
import OrielTelemetry
import Synchronization
import Testing

@testable import Oriel

@Suite struct LoggingMetadataTests {
    private let capture: LoggingCapture

    init() throws {
        capture = try LoggingCapture()
    }

    private func attribute(_ value: Logging.Logger.MetadataValue, options: Oriel.LogOptions = .init()) throws -> AttributeValue? {
        capture.logger(options: options).info("x", metadata: ["v": value])
        return try capture.records().last?.attributes["v"]
    }

    @Test func numbersAndBooleansKeepTheirType() throws {
        let cases: [(Logging.Logger.MetadataValue, AttributeValue)] = [
            (.stringConvertible(42), .int(42)), (.stringConvertible(-1), .int(-1)), (.stringConvertible(Int.min), .int(.min)),
            (.stringConvertible(Int64.max), .int(.max)), (.stringConvertible(Int32(-7)), .int(-7)), (.stringConvertible(Int16(7)), .int(7)),
            (.stringConvertible(Int8(-8)), .int(-8)), (.stringConvertible(UInt(8)), .int(8)), (.stringConvertible(UInt32.max), .int(4_294_967_295)),
            (.stringConvertible(UInt16(9)), .int(9)), (.stringConvertible(UInt8(255)), .int(255)),
            (.stringConvertible(UInt64.max), .string("18446744073709551615")), (.stringConvertible(1.5), .double(1.5)),
            (.stringConvertible(-Double.infinity), .double(-.infinity)), (.stringConvertible(Float(0.25)), .double(0.25)),
            (.stringConvertible(true), .bool(true)), (.stringConvertible(false), .bool(false)), (.stringConvertible("text"), .string("text")),
            (.stringConvertible(Substring("part")), .string("part")), (.string(""), .string("")), ("\(1)", .string("1")),
            ([], .array([])), ([:], .map([])), (["a", .stringConvertible(2)], .array([.string("a"), .int(2)])),
            (["k": ["l": .stringConvertible(true)]], .map([Attribute("k", .map([Attribute("l", .bool(true))]))])),
        ]
        for (value, expected) in cases { #expect(try attribute(value) == expected, "\(value)") }
    }

    @Test func whatIsMarkedIsRedacted() throws {
        #expect(try attribute(.attributed("a@b.c", attributes: [Oriel.Redaction.redacted])) == "[redacted]")
        #expect(try attribute(.attributed("plain", attributes: .init())) == "plain")
        #expect(
            try attribute(["mail": .attributed("a@b.c", attributes: [Oriel.Redaction.redacted])]) == .map([Attribute("mail", "[redacted]")]))
        #expect(try attribute("user \("a@b.c", attributes: { $0[Oriel.Redaction.self] = .redacted })") == "[redacted]")
    }

    @Test func longTextIsCutBetweenCharacters() throws {
        var options = Oriel.LogOptions()
        options.valueLengthLimit = 5
        #expect(try attribute("äöüßé", options: options) == "äöüßé")
        #expect(try attribute("äöüßéx", options: options) == "äöüßé")
        #expect(try attribute(.stringConvertible(Substring("abcdefgh")), options: options) == "abcde")
        #expect(try attribute(["abcdefgh"], options: options) == .array(["abcde"]))
    }

    @Test func theLimitOfValuesCutsNeitherMessagesNorKeys() throws {
        var options = Oriel.LogOptions()
        options.valueLengthLimit = 3
        let metadata: Logging.Logger.Metadata = [
            "long key": "value", "int key": .stringConvertible(1), "double key": .stringConvertible(0.5), "bool key": .stringConvertible(true),
            "array key": ["value"], "map key": ["inner key": "value"], String(repeating: "k", count: 300): "value",
        ]
        capture.logger(options: options).info("message", metadata: metadata)
        let record = try #require(try capture.records().last)
        #expect(record.body == "message")
        #expect(
            record.attributes == [
                "long key": "val", "int key": 1, "double key": 0.5, "bool key": true, "array key": ["val"],
                "map key": .map([Attribute("inner key", "val")]), String(repeating: "k", count: 300): "val",
            ])
    }

    @Test func messagesHaveALimitOfTheirOwn() throws {
        var options = Oriel.LogOptions()
        options.messageLengthLimit = 5
        capture.logger(options: options).info("message", metadata: ["key": "a value"])
        let record = try #require(try capture.record())
        #expect(record.body == "messa" && record.attributes == ["key": "a value"])
    }

    @Test func theDefaultLimitIs65536Characters() throws {
        let long = String(repeating: "é", count: 70_000)
        #expect(try attribute(.string(long)) == .string(String(repeating: "é", count: 65_536)))
    }

    @Test func lengthsAroundTheEncodingsBordersArrive() throws {
        for length in [0, 1, 100, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 16_380, 16_384, 16_390] {
            let text = String(repeating: "x", count: length)
            capture.logger().info(
                Logging.Logger.Message(stringLiteral: text),
                metadata: ["k": .string(text), text + "!": .stringConvertible(length), text + "?": .stringConvertible(0.5)])
            let record = try #require(try capture.records().last)
            #expect(record.body == .string(text), "\(length)")
            #expect(record.attributes == ["k": .string(text), text + "!": .int(Int64(length)), text + "?": .double(0.5)], "\(length)")
        }
    }

    @Test func attributesBeyondTheLimitAreCounted() throws {
        var options = Oriel.LogOptions()
        options.attributeCountLimit = 3
        let metadata = Logging.Logger.Metadata(uniqueKeysWithValues: (0..<5).map { ("k\($0)", .stringConvertible($0)) })
        capture.logger(options: options).info("x", metadata: metadata)
        let record = try #require(try capture.record())
        #expect(record.attributeCount == 3)
        #expect(record.dropped == 2)
    }

    @Test func nestingAndElementsAreBounded() throws {
        var deep: Logging.Logger.MetadataValue = "core"
        for _ in 0..<200 { deep = [deep] }
        var value = try #require(try attribute(deep))
        var depth = 0
        while case .array(let elements) = value, let first = elements.first {
            value = first
            depth += 1
        }
        #expect(depth == 8)
        #expect(value == .empty)

        guard case .array(let elements)? = try attribute(.array(Array(repeating: "x", count: 1000))) else { throw Missing() }
        #expect(elements.count == 128)
    }

    @Test func aHugeRecordArrivesInPart() throws {
        let text = String(repeating: "y", count: 65_536)
        var metadata = Logging.Logger.Metadata(uniqueKeysWithValues: (0..<100).map { ("k\($0)", .string(text)) })
        metadata["many"] = .array(Array(repeating: .array(Array(repeating: .string(text), count: 100)), count: 100))
        capture.logger().info("x", metadata: metadata)
        let record = try #require(try capture.record())
        #expect(record.attributeCount + Int(record.dropped) == 101)
        #expect(record.dropped > 80)
    }

    @Test func aDescriptionIsAskedForOnce() throws {
        final class Value: CustomStringConvertible, Sendable {
            let length: Int
            let calls = Atomic<Int>(0)

            init(length: Int) { self.length = length }

            var description: String {
                calls.wrappingAdd(1, ordering: .relaxed)
                return String(repeating: "z", count: length)
            }
        }
        // Some are written apart from the others, since they are long or there is no more room for short ones.
        let values = (0..<40).map { Value(length: $0 % 8 == 0 ? 300 : 60) }
        let metadata = Logging.Logger.Metadata(uniqueKeysWithValues: values.enumerated().map { ("k\($0)", .stringConvertible($1)) })
        capture.logger().info("x", metadata: metadata)
        let record = try #require(try capture.record())
        #expect(
            record.attributes == Dictionary(uniqueKeysWithValues: values.enumerated().map { ("k\($0)", .string(String(repeating: "z", count: $1.length))) }))
        #expect(values.allSatisfy { $0.calls.load(ordering: .relaxed) == 1 })
    }

    @Test func randomMetadataArrivesAsItIs() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var generator = SeededGenerator(state: seed)
        for _ in 0..<200 {
            var metadata: Logging.Logger.Metadata = [:]
            var expected: [String: AttributeValue] = [:]
            for _ in 0..<Int.random(in: 0...(generator.next() % 4 == 0 ? 30 : 6), using: &generator) {
                let key = Self.text(&generator)
                switch Int.random(in: 0...3, using: &generator) {
                case 0:
                    let text = Self.text(&generator)
                    metadata[key] = .string(text)
                    expected[key] = .string(text)
                case 1:
                    let number = Int(truncatingIfNeeded: generator.next() >> UInt64.random(in: 0...63, using: &generator))
                    metadata[key] = .stringConvertible(number)
                    expected[key] = .int(Int64(number))
                case 2:
                    let number = Double(generator.next() >> 11) / 3
                    metadata[key] = .stringConvertible(number)
                    expected[key] = .double(number)
                default:
                    let text = Self.text(&generator)
                    metadata[key] = [.string(text), .stringConvertible(true)]
                    expected[key] = .array([.string(text), .bool(true)])
                }
            }
            capture.logger().info("x", metadata: metadata)
            #expect(try capture.records().last?.attributes == expected)
        }
    }

    private static func text(_ generator: inout SeededGenerator) -> String {
        let alphabet = Array("abc .é漢🙂\u{0}\"")
        return String((0..<Int.random(in: 0...60, using: &generator)).compactMap { _ in alphabet.randomElement(using: &generator) })
    }

    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        /// SplitMix64.
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }

    private struct Missing: Error {}
}

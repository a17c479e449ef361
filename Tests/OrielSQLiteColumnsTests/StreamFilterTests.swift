import OrielStore
import OrielTelemetry
import Testing

@testable import OrielSQLite

/// The label index against `StreamMatcher.matches` on random streams.
@Suite struct StreamFilterTests {
    private let registry = StreamRegistry(secret: StreamSecret(high: 1, low: 2))

    private static let names = ["a", "b", "job", "größe", "otel.scope.name", "x.y"]

    private func value(_ random: inout Seeded) -> String { ["", "1", "2", "true", "prod", "é", "v\(random.below(40))"][random.below(7)] }

    private func descriptor(_ random: inout Seeded) -> StreamDescriptor {
        func attributes() -> [Attribute] {
            Self.names.filter { _ in random.below(3) == 0 }.map { name in
                switch random.below(4) {
                case 0: Attribute(name, .int(Int64(random.below(3))))
                case 1: Attribute(name, .bool(random.below(2) == 0))
                default: Attribute(name, .string(value(&random)))
                }
            }
        }
        if random.below(3) == 0 {
            return .scope(
                Resource(attributes: attributes()),
                InstrumentationScope(name: value(&random), version: value(&random), attributes: attributes()))
        }
        let labels = Self.names.filter { _ in random.below(2) == 0 }.map { Label($0, value(&random)) }
        return .series(unsorted: labels + [Label("unique", "\(random.below(1 << 20))")])
    }

    private func matchers(_ random: inout Seeded) -> [StreamMatcher] {
        (0..<random.below(4)).map { _ in
            let name = random.below(8) == 0 ? "absent" : random.below(8) == 0 ? "unique" : Self.names[random.below(Self.names.count)]
            return StreamMatcher(name, random.below(2) == 0 ? .equal : .notEqual, value(&random))
        }
    }

    @Test(arguments: [UInt64(1), 2, 3, 4]) func streamsPassAsTheirMatchersSay(_ seed: UInt64) throws {
        var random = Seeded(seed)
        var filters: [([StreamMatcher], StreamFilter)] = []
        for _ in 0..<4 {
            for _ in 0..<random.below(seed == 4 ? 600 : 100) {
                let bytes = descriptor(&random).encoded
                _ = registry.intern(bytes.span, id: registry.secret.id(of: bytes.span))
            }
            // Those of earlier rounds meet new streams.
            for _ in 0..<10 {
                let matchers = matchers(&random)
                filters.append((matchers, StreamFilter(matchers: matchers, registry: registry)))
            }
            let known = registry.sortedByID((0..<StreamReference(registry.count)).filter { _ in random.below(4) > 0 })
            let descriptors = try known.map { try #require(registry.decodedDescriptor(of: $0)) }
            for index in filters.indices {
                let matchers = filters[index].0
                let expected = descriptors.map { descriptor in matchers.allSatisfy { $0.matches(descriptor) } }
                #expect(
                    filters[index].1.ordinals(among: known) == expected.indices.filter { expected[$0] }.map { UInt32($0) },
                    "seed \(seed), \(matchers)")
                #expect(known.map { filters[index].1.allows($0) } == expected, "seed \(seed), \(matchers)")
            }
        }
    }

    @Test(arguments: [UInt64(1), 2]) func setsAndRangesOfStreamsPass(_ seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<400 {
            let bytes = descriptor(&random).encoded
            _ = registry.intern(bytes.span, id: registry.secret.id(of: bytes.span))
        }
        let known = registry.sortedByID(Array(0..<StreamReference(registry.count)))
        let ids = registry.ids(of: known)
        for _ in 0..<40 {
            let share = 1 + random.below(100)
            let streams = random.below(2) == 0 ? nil : Set(ids.filter { _ in random.below(share) == 0 })
            let bounds = [ids[random.below(ids.count)], ids[random.below(ids.count)]].sorted()
            let range = random.below(2) == 0 ? nil : bounds[0]...bounds[1]
            var filter = StreamFilter(matchers: [], streams: streams, range: range, registry: registry)
            let expected = ids.map { id in (streams?.contains(id) ?? true) && (range?.contains(id) ?? true) }
            #expect(filter.ordinals(among: known) == expected.indices.filter { expected[$0] }.map { UInt32($0) }, "seed \(seed)")
            #expect(known.map { filter.allows($0) } == expected, "seed \(seed)")
        }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func namesAndValuesAreThoseOfTheStreams(_ seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<300 {
            let bytes = descriptor(&random).encoded
            _ = registry.intern(bytes.span, id: registry.secret.id(of: bytes.span))
        }
        for _ in 0..<20 {
            let share = 1 + random.below(60)
            let chosen = (0..<StreamReference(registry.count)).filter { _ in random.below(share) == 0 }
            let descriptors = try chosen.map { try #require(registry.decodedDescriptor(of: $0)) }
            let names = Set(descriptors.flatMap(\.names))
            let set = StreamSet(chosen)
            #expect(set.references == chosen && set.count == chosen.count)
            #expect(Set(registry.labels.names(of: set, registry)) == names, "seed \(seed)")
            for name in names.union(["absent"]) {
                let values = Set(descriptors.compactMap { $0.text(of: name) }).subtracting([""])
                let found = registry.labels.values(of: name, in: set, registry)
                #expect(Set(found) == values && found.count == values.count, "seed \(seed), \(name)")
                #expect(found == found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, "seed \(seed), \(name)")
            }
        }
    }

    @Test func newStreamsBeyondTheLimitAreRefused() {
        let registry = StreamRegistry(secret: StreamSecret(high: 1, low: 2), limit: StreamRegistry.Limit(count: 2))
        var table = StreamTable()
        for number in 0..<4 { _ = table.intern(.series([Label("n", "\(number)")])) }
        #expect(registry.intern(table) == [0, 1, nil, nil])
        #expect(registry.isFull)
        #expect(registry.intern(table) == [0, 1, nil, nil])
        // What files hold comes in all the same.
        let bytes = StreamDescriptor.series([Label("n", "3")]).encoded
        #expect(registry.intern(bytes.span, id: registry.secret.id(of: bytes.span)) == 2)
        #expect(registry.intern(table) == [0, 1, nil, 2])
    }
}

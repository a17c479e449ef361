import OrielStore
import OrielStoreConformance
import OrielTelemetry
import Testing

@testable import OrielCollector

/// Pages of very many series, which several tasks write, and of series with very much to show.
@Suite struct SeriesPageTests {
    private static let series = 5_000
    private static let now = ShopRows.now

    /// A store of series with one sample each. Neither their ids nor the order in which they were stored is the one in which they are shown.
    private static func api(_ count: Int, padding: String = "") async throws -> OrielAPI {
        let store = ReferenceStore.Place().openReference()
        try await add((0..<count).map { $0 * 7919 % count }, padding: padding, to: store)
        return OrielAPI(store: store) { now }
    }

    private static func add(_ numbers: [Int], padding: String = "", age: Int64 = 1_000, to store: any TelemetryStore) async throws {
        var batch = SampleBatch()
        for number in numbers {
            var labels = [Label("__name__", "requests_\(number % 3)"), Label("instance", "host-\(number)")]
            if !padding.isEmpty { labels.append(Label("padding", padding)) }
            batch.streamIndexes.append(UInt32(batch.streams.intern(.series(unsorted: labels))))
            batch.times.append(now.milliseconds - age)
            batch.values.append(Double(number))
        }
        _ = try await store.append(WriteSet(batches: [batch.columnBatch]))
    }

    private static func bytes(_ api: OrielAPI, _ query: String) async throws -> [UInt8] {
        let answer = await api.respond(to: "/api/oriel/v1/series?\(query)")
        guard let bytes = answer.bytes else { throw NoBody() }
        #expect(answer.status == 200, "\(query): \(String(decoding: bytes.prefix(400), as: UTF8.self))")
        return bytes
    }

    private struct NoBody: Error {}

    /// Name and instance of series in the order of an answer, and of those with some numbers in the order in which they are to be shown.
    private static func names(_ series: [JSONTree]) -> [String] {
        series.map { "\($0["name"]?.text ?? "") \($0["labels"]?["instance"]?.text ?? "")" }
    }

    private static func names(_ numbers: [Int]) -> [String] { numbers.map { "requests_\($0 % 3) host-\($0)" }.sorted() }

    @Test func aPageOfManySeriesIsWhatSmallPagesAreTogether() async throws {
        let api = try await Self.api(Self.series)
        let whole = try JSONTree(try await Self.bytes(api, "limit=100000"))
        #expect(whole["next"] == .null)
        let series = try #require(whole["series"]?.elements)
        #expect(Self.names(series) == Self.names(Array(0..<Self.series)))
        #expect(series.allSatisfy { ($0["last"]?["value"]?.number).map { "host-\(Int($0))" } == $0["labels"]?["instance"]?.text })

        // A multiple of what one task writes, and no such.
        for limit in [1_024, 1_700] {
            var paged: [JSONTree] = []
            var query = "limit=\(limit)"
            while true {
                let page = try JSONTree(try await Self.bytes(api, query))
                let elements = try #require(page["series"]?.elements)
                paged += elements
                guard let next = page["next"]?.text else { break }
                #expect(elements.count == limit)
                query = "limit=\(limit)&cursor=\(next)"
            }
            #expect(paged == series)
        }
    }

    /// A list that was shown before is not laid out anew: that must be seen by nothing but the time it takes.
    @Test func aListThatWasShownBeforeIsShownWithWhatIsNew() async throws {
        let api = try await Self.api(60)
        func shown(_ query: String) async throws -> [String] {
            Self.names(try #require(try JSONTree(try await Self.bytes(api, query))["series"]?.elements))
        }
        let first = try await Self.bytes(api, "limit=100")
        #expect(try await shown("limit=100") == Self.names(Array(0..<60)))
        #expect(try await Self.bytes(api, "limit=100") == first)
        // Other samples of the same series.
        try await Self.add(Array(0..<60), age: 500, to: api.store)
        let second = try await Self.bytes(api, "limit=100")
        #expect(second != first && second.count == first.count)
        // As many series, but others; and others again, which are more.
        for number in [0, 1, 2, 1] {
            #expect(try await shown("limit=100&name=requests_\(number)") == Self.names((0..<20).map { $0 * 3 + number }))
        }
        try await Self.add([60], to: api.store)
        #expect(try await shown("limit=100") == Self.names(Array(0...60)))
        let page = try JSONTree(try await Self.bytes(api, "limit=21"))
        let next = try #require(page["next"]?.text)
        #expect(try await shown("limit=100&cursor=\(next)") == Self.names(Array(0...60)).suffix(40))
    }

    @Test(arguments: [("all", 25), ("60", 4_166), ("1", 5_000)])
    func theMorePointsTheFewerSeries(points: String, count: Int) async throws {
        let api = try await Self.api(Self.series)
        let page = try JSONTree(try await Self.bytes(api, "points=\(points)&since=1h&limit=100000"))
        let series = try #require(page["series"]?.elements)
        #expect(series.count == count && (page["next"] == .null) == (count == Self.series))
        #expect(series.allSatisfy { $0["points"]?.elements.count == 1 })
    }

    /// One task fills the page, or two together.
    @Test(arguments: [(600, 40_000), (1_500, 20_000)]) func aFullPageEndsWithTheSeriesThatFilledIt(count: Int, padding: Int) async throws {
        let api = try await Self.api(count, padding: String(repeating: "x", count: padding))
        let first = try await Self.bytes(api, "limit=100000")
        // A series more than fits.
        #expect(first.count > OrielAPI.pageBytes && first.count < OrielAPI.pageBytes + padding + 5_000)
        let tail = String(decoding: first.suffix(5_000), as: UTF8.self)
        let next = try #require(tail.split(separator: "\"next\":\"").last?.split(separator: "\"").first)
        #expect(next.utf8.count < 2_000, "servers bound the length of a request's first line")
        let second = try await Self.bytes(api, "limit=100000&cursor=\(next)")
        #expect(String(decoding: second.suffix(12), as: UTF8.self) == "\"next\":null}")
        #expect(instances(first) + instances(second) == (0..<count).sorted { ($0 % 3, "\($0)") < ($1 % 3, "\($1)") })
    }

    /// What was asked for last stays, as much as there is room for.
    @Test func layoutsAreKeptWithinTheirBytes() throws {
        func list(_ number: Int, count: Int, padding: Int) -> StreamList {
            var descriptors = ByteColumn()
            for index in 0..<count {
                let labels = [Label("__name__", "m\(number)"), Label("i", "\(index)"), Label("padding", String(repeating: "x", count: padding))]
                descriptors.append(StreamDescriptor.series(unsorted: labels).encoded)
            }
            return StreamList(ids: (0..<count).map { StreamID(high: UInt64(number), low: UInt64($0)) }, descriptors: descriptors)
        }
        func layout(_ list: StreamList) throws -> SeriesLayout {
            SeriesLayout(order: try SeriesOrder(of: list), texts: try SeriesTexts(of: list, limit: RecentSeriesLayouts.maximumTextBytes))
        }
        let layouts = RecentSeriesLayouts()
        // Of 4 MB each.
        let lists = (0..<12).map { list($0, count: 40, padding: 100_000) }
        layouts.keep(try layout(lists[0]))
        for list in lists.dropFirst() {
            layouts.keep(try layout(list))
            #expect(layouts.layout(of: lists[0].ids)?.texts?.names == [Array("m0".utf8)])
            #expect(layouts.all.reduce(0) { $0 + $1.byteCount } <= RecentSeriesLayouts.maximumBytes)
        }
        #expect(layouts.layout(of: lists[1].ids) == nil)
        #expect(layouts.layout(of: lists[11].ids) != nil && layouts.layout(of: lists[10].ids) != nil)
        let small = (20..<80).map { list($0, count: 2, padding: 1) }
        for list in small { layouts.keep(try layout(list)) }
        #expect(layouts.all.count <= RecentSeriesLayouts.maximumCount)
        // One of the same series takes the place of the other, unless it knows less.
        let before = layouts.all.count
        layouts.keep(SeriesLayout(order: try SeriesOrder(of: small[59])))
        #expect(layouts.layout(of: small[59].ids)?.texts != nil && layouts.layout(of: Array(small[59].ids.dropLast())) == nil)
        layouts.keep(SeriesLayout(order: try SeriesOrder(of: small[0])))
        #expect(layouts.layout(of: small[0].ids)?.texts == nil)
        layouts.keep(try layout(small[0]))
        #expect(layouts.layout(of: small[0].ids)?.texts != nil && layouts.all.count == before)
    }

    /// What fits as it is stored, but not as JSON.
    @Test func labelsThatAreTooLargeToKeepAreShownAllTheSame() async throws {
        let api = try await Self.api(500, padding: String(repeating: "\"", count: 17_500))
        let first = try await Self.bytes(api, "limit=100000")
        #expect(first.count > OrielAPI.pageBytes)
        #expect(try await Self.bytes(api, "limit=100000") == first)
        let layout = try #require(api.recentSeries.all.last)
        #expect(layout.areTextsTooLarge && layout.texts == nil)
    }

    @Test func longLabelsThatBeginAlikeAreOnOnePageEach() async throws {
        let store = ReferenceStore.Place().openReference()
        var batch = SampleBatch()
        for index in 0..<40 {
            // Cut within a character of two bytes, or beside it.
            let labels = [
                Label("__name__", "m"), Label("a", String(repeating: "x", count: index % 2) + String(repeating: "é", count: 1_000)), Label("b", "\(index)"),
            ]
            batch.streamIndexes.append(UInt32(batch.streams.intern(.series(unsorted: labels))))
            batch.times.append(Self.now.milliseconds - 1_000)
            batch.values.append(Double(index))
        }
        _ = try await store.append(WriteSet(batches: [batch.columnBatch]))
        let api = OrielAPI(store: store) { Self.now }
        var seen: [String] = []
        var query = "limit=3"
        while seen.count <= 40 {
            let page = try JSONTree(try await Self.bytes(api, query))
            seen += try #require(page["series"]?.elements).compactMap { $0["labels"]?["b"]?.text }
            guard let next = page["next"]?.text else { break }
            query = "limit=3&cursor=\(next)"
        }
        #expect(seen.sorted() == (0..<40).map { "\($0)" }.sorted())
    }

    /// The numbers of the instances in the order in which an answer names them. Decoding all the padding would take very long.
    private func instances(_ json: [UInt8]) -> [Int] {
        let key = Array("\"instance\":\"host-".utf8)
        var numbers: [Int] = []
        var index = 0
        while index + key.count < json.count {
            guard json[index] == key[0], json[index + 1] == key[1], json[index..<index + key.count].elementsEqual(key) else {
                index += 1
                continue
            }
            index += key.count
            numbers.append(Int(String(decoding: json[index...].prefix { $0 != key[0] }, as: UTF8.self)) ?? -1)
        }
        return numbers
    }
}

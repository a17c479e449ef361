import Oriel
import Testing
import Tracing

@Suite struct BaggageTests {
    private let tracer = Oriel.Tracer(queues: [])

    private func read(_ header: String) -> Oriel.Baggage { tracer.context(["baggage": header]).baggage }

    private func written(_ baggage: Oriel.Baggage) -> String? {
        var context = ServiceContext.topLevel
        context.baggage = baggage
        return tracer.headers(context)["baggage"]
    }

    @Test func membersKeepTheirOrderAndProperties() {
        let baggage = read(" key1 = value1 ;property1;p2 = v2 , key2=a%20b%C3%A9%2C; ,key3=a=b,empty=")
        #expect(
            baggage.members == [
                .init(key: "key1", value: "value1", properties: [.init(key: "property1"), .init(key: "p2", value: "v2")]), .init(key: "key2", value: "a bé,"),
                .init(key: "key3", value: "a=b"), .init(key: "empty", value: ""),
            ])
        #expect(written(baggage) == "key1=value1;property1;p2=v2,key2=a%20b%C3%A9%2C,key3=a=b,empty=")
    }

    @Test func malformedMembersArePassedOver() {
        #expect(read("a=1,b,=2,c d=3,e=\"4\",f=5;=x;y,g=\u{1},é=6,h=7").members.map(\.key) == ["a", "f", "h"])
        #expect(read("f=5;=x;y;z=\"").members == [.init(key: "f", value: "5", properties: [.init(key: "y")])])
        #expect(read("a=%zz%4").members == [.init(key: "a", value: "%zz%4")])
        #expect(read("a=%FF").members == [.init(key: "a", value: "\u{FFFD}")])
        #expect(tracer.context(["baggage": "nothing"]).isEmpty && tracer.context(["baggage": ""]).isEmpty)
    }

    @Test func boundsAreKept() {
        let many = (0..<100).map { "k\($0)=v" }.joined(separator: ",")
        #expect(read(many).members.count == 64)
        #expect(written(Oriel.Baggage((0..<100).map { .init(key: "k\($0)", value: "v") }))?.split(separator: ",").count == 64)
        let large = Oriel.Baggage((0..<10).map { .init(key: "k\($0)", value: String(repeating: "é", count: 500)) })
        let text = written(large) ?? ""
        #expect(text.utf8.count <= 8192 && text.split(separator: ",").count == 2)
        #expect(read("a=1," + String(repeating: "b", count: 9000) + "=2").members.count == 1)
    }

    @Test func onlyWhatIsValidIsSent() {
        let baggage = Oriel.Baggage([
            .init(key: "", value: "x"), .init(key: "a b", value: "x"), .init(key: "a\r\nb", value: "x"),
            .init(key: "ok", value: "\r\n\"", properties: [.init(key: "p", value: "a b"), .init(key: "q q"), .init(key: "r", value: "")]),
        ])
        #expect(written(baggage) == "ok=%0D%0A%22;r=")
        #expect(written(Oriel.Baggage([.init(key: "", value: "")])) == nil && written(Oriel.Baggage()) == nil)
    }

    @Test func valuesByKey() {
        var context = ServiceContext.topLevel
        #expect(context.baggage.isEmpty && context.baggage["a"] == nil)
        context.baggage["a"] = "1"
        context.baggage["b"] = "2"
        context.baggage["a"] = "3"
        #expect(context.baggage.members.map(\.key) == ["a", "b"] && context.baggage["a"] == "3")
        context.baggage["a"] = nil
        context.baggage["b"] = nil
        #expect(context.isEmpty)
    }

    @Test func anyValueTravels() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = TracingGenerator(seed: seed)
        let alphabet: [Character] = ["a", "Z", "9", " ", "%", "\"", "\\", ",", ";", "=", "é", "日", "😀", "\n", "\u{0}", "~"]
        for _ in 0..<500 {
            let members = (0..<Int.random(in: 1...4, using: &generator)).map { index in
                let value = String((0..<Int.random(in: 0...12, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? "a" })
                return Oriel.Baggage.Member(key: "k\(index)", value: value)
            }
            let baggage = Oriel.Baggage(members)
            #expect(read(written(baggage) ?? "") == baggage, "seed \(seed): \(baggage)")
        }
    }
}

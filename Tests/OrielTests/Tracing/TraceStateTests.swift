@testable import Oriel
import Testing

@Suite struct TraceStateTests {
    @Test(arguments: [
        ("", ""), ("a=1", "a=1"), (" a=1 ,\tb=2,,c=3, ", "a=1,b=2,c=3"), ("a=1,a=2,b=3", "a=1,b=3"), ("1a-_*/=x", "1a-_*/=x"),
        ("tenant@system=x", "tenant@system=x"),
        ("a=x y", "a=x y"), ("a=!~", "a=!~"),
    ])
    func valid(_ header: String, _ text: String) {
        #expect(TraceState.canonical(header) == text)
    }

    @Test(arguments: [
        "a", "a=", "=1", "A=1", "a=1,B=2", "a b=1", "a=b=c", "a=é", "a=\u{1}", "-a=1", "a=1,b", "a=1;b=2=3", "a =1",
    ])
    func malformedOnesAreDiscarded(_ header: String) {
        #expect(TraceState.canonical(header) == "", "\(header)")
    }

    @Test func boundsAreKept() {
        let members = (0..<32).map { "k\($0)=v" }
        #expect(TraceState.canonical(members.joined(separator: ",")) == members.joined(separator: ","))
        #expect(TraceState.canonical((members + ["k32=v"]).joined(separator: ",")) == "")
        #expect(TraceState.canonical(String(repeating: "k", count: 256) + "=" + String(repeating: "v", count: 256)) == "")
        #expect(TraceState.canonical(String(repeating: "k", count: 257) + "=v") == "")
        #expect(TraceState.canonical("k=" + String(repeating: "v", count: 257)) == "")
        // The long one makes room, then the last ones.
        let long = "long=" + String(repeating: "v", count: 200)
        let medium = (0..<5).map { "k\($0)=" + String(repeating: "v", count: 80) }
        #expect(TraceState.canonical(([long] + medium).joined(separator: ",")) == medium.joined(separator: ","))
        let many = (0..<7).map { "k\($0)=" + String(repeating: "v", count: 80) }
        #expect(TraceState.canonical(many.joined(separator: ",")) == many.prefix(6).joined(separator: ","))
        // A member of ours that is put in pushes the oldest out.
        let replaced = TraceState.replacing(.always, in: members.joined(separator: ","))
        #expect(replaced == (["ot=th:0"] + members.dropLast()).joined(separator: ","))
    }

    @Test func theThresholdIsReplaced() {
        let half = Oriel.SamplingThreshold(value: 8 << 52)
        #expect(TraceState.replacing(half, in: "") == "ot=th:8")
        #expect(TraceState.replacing(nil, in: "") == "")
        #expect(TraceState.replacing(half, in: "a=1,ot=th:c;rv:12345678901234;x:y,b=2") == "ot=th:8;rv:12345678901234;x:y,a=1,b=2")
        #expect(TraceState.replacing(nil, in: "a=1,ot=th:c,b=2") == "a=1,b=2")
        #expect(TraceState.replacing(nil, in: "a=1,ot=rv:12345678901234") == "a=1,ot=rv:12345678901234")
        #expect(TraceState.replacing(half, in: "a=1,ot=th:8") == "a=1,ot=th:8")
        #expect(TraceState.replacing(nil, in: "a=1,ot=th:zz;q:1") == "a=1,ot=th:zz;q:1")
        #expect(TraceState.replacing(half, in: "a=1,ot=th:zz;q:1") == "ot=th:8;q:1,a=1")
    }

    @Test func thresholdsAreReadStrictly() {
        #expect(TraceState.threshold(in: "a=1,ot=rv:1;th:c")?.value == 0xC0_0000_0000_0000)
        #expect(TraceState.threshold(in: "ot=th:0")?.value == 0)
        #expect(TraceState.threshold(in: "ot=th:0000000000000f")?.value == 15)
        for text in ["", "ot=", "ot=th:", "ot=th", "ot=th:C", "ot=th:000000000000000", "ot=th:g", "ota=th:c", "a=th:c", "ot=tha:c"] {
            #expect(TraceState.threshold(in: text) == nil, "\(text)")
        }
    }
}

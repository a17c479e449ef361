import Testing

@testable import OrielCollector

/// Tokens as text, and the rate limit, by themselves.
@Suite struct AccessTokenTests {
    @Test func tokensAreRandomAndReadable() {
        let tokens = (0..<200).map { _ in AccessToken.make() }
        #expect(Set(tokens).count == 200)
        for token in tokens {
            #expect(token.hasPrefix("oriel_") && token.utf8.count == 6 + 43)
            #expect(token.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") })
        }
    }

    @Test func aDigestEqualsItsOwnBytesOnly() {
        let digest = AccessToken.digest(of: "abc")
        let bytes = Array(digest)
        // FIPS 180-2, appendix B.1.
        #expect(bytes.prefix(4) == [0xBA, 0x78, 0x16, 0xBF] && bytes.count == 32)
        #expect(AccessToken.isEqual(digest, bytes))
        for index in bytes.indices {
            for bit in 0..<8 {
                var other = bytes
                other[index] ^= 1 << UInt8(bit)
                #expect(!AccessToken.isEqual(digest, other))
            }
        }
        #expect(!AccessToken.isEqual(digest, []))
        #expect(!AccessToken.isEqual(digest, Array(bytes.dropLast())))
        #expect(!AccessToken.isEqual(digest, bytes + [0]))
        #expect(AccessToken.key(of: digest) == 0xBA78_16BF_8F01_CFEA)
    }

    @Test(arguments: [
        ("Bearer abc", "abc"), ("bearer abc", "abc"), ("BEARER   abc", "abc"), ("Basic abc", nil), ("Bearer", nil), ("Bearer ", nil), ("", nil),
        ("Bearer a b", nil), ("Bearerabc", nil),
    ])
    func headers(header: String, token: String?) {
        #expect(AccessToken.bearer(in: header) == token)
    }

    @Test func aBucketMayBeOverdrawnOnceAndIsPaidBack() {
        let start = ContinuousClock.now
        var bucket = RateBucket(perSecond: 1000, now: start)
        #expect(bucket.delaySeconds(now: start) == 0)
        bucket.take(3500, now: start)
        #expect(bucket.delaySeconds(now: start) == 3)
        #expect(bucket.delaySeconds(now: start + .seconds(1)) == 2)
        #expect(bucket.delaySeconds(now: start + .milliseconds(2600)) == 0)
        // A long silence saves up a second's worth and no more.
        bucket.take(1001, now: start + .seconds(1000))
        #expect(bucket.delaySeconds(now: start + .seconds(1000)) == 1)
        // A clock that stands still, or a huge debt, breaks nothing.
        bucket.take(.max, now: start)
        #expect(bucket.delaySeconds(now: start) == 3600)
    }
}

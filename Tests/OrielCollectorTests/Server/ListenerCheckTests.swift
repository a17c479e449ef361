import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import OrielCollector

@Suite struct ListenerCheckTests {
    private static func configuration(_ address: ListenerAddress) -> CollectorConfiguration {
        CollectorConfiguration(dataFolder: "/nowhere", listeners: [ListenerConfiguration(address: address)])
    }

    @Test func aTakenAddressIsRefused() async throws {
        try await LiveCollector.run { live in
            #expect(throws: ListenError.self) {
                try ListenerCheck.run(Self.configuration(.tcp(host: "127.0.0.1", port: live.port())), environment: [:])
            }
            try ListenerCheck.run(Self.configuration(.tcp(host: "127.0.0.1", port: 0)), environment: [:])
        }
    }

    @Test func nobodyIsTakenInWhoWouldWaitForEver() async throws {
        // A port that was free a moment ago.
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        try await listener.close().get()
        let isDone = Atomic(false)
        let accepted = Task {
            var accepted = 0
            while !isDone.load(ordering: .relaxed) {
                do {
                    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(host: "127.0.0.1", port: port).get()
                    accepted += 1
                    try await channel.close().get()
                } catch {
                    // Refused, as it must be.
                }
            }
            return accepted
        }
        for _ in 0..<300 { try ListenerCheck.run(Self.configuration(.tcp(host: "127.0.0.1", port: port)), environment: [:]) }
        isDone.store(true, ordering: .relaxed)
        #expect(await accepted.value == 0)
    }
}

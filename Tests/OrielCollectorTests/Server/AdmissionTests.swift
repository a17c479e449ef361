import Testing

@testable import OrielCollector

@Suite struct AdmissionTests {
    @Test func theBudgetIsSharedAndGivenBack() {
        let budget = AdmissionBudget(capacity: 100)
        let first = budget.makeReservation()
        #expect(first.grow(by: 60))
        do {
            let second = budget.makeReservation()
            #expect(second.grow(by: 40))
            #expect(!second.grow(by: 1))
            #expect(!first.grow(by: 1))
            #expect(budget.usedBytes == 100)
            second.shrink(by: 10)
            #expect(first.grow(by: 10))
        }
        #expect(budget.usedBytes == 70)
        #expect(budget.refusals == 2)
    }

    @Test func oneAloneIsAlwaysLetIn() {
        let budget = AdmissionBudget(capacity: 10)
        let alone = budget.makeReservation()
        #expect(alone.grow(by: 50))
        #expect(alone.grow(by: 50))
        #expect(!budget.makeReservation().grow(by: 1))
        #expect(!alone.grow(by: .max))
    }

    @Test func aSpentBudgetIsAnsweredWithAHint() async throws {
        try await LiveCollector.run(configure: { $0.admissionBudget = 1 << 20 }) { live in
            live.store.hold()
            let large = try OTLPSamples.traces(count: 8000)
            let holder = try await HTTP2Client.connect(port: live.port())
            async let first = holder.call("/opentelemetry.proto.collector.trace.v1.TraceService/Export", frame: HTTP2Client.frame(large))
            #expect(try await eventually { live.store.heldCount == 1 })

            let body = OTLPSamples.tracesJSON
            let connection = try await RawConnection.connect(port: live.port())
            try await connection.send(
                "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            let answer = try await connection.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            #expect(answer.lowercased().contains("retry-after: 1"))
            #expect(answer.contains(#""code":14"#))

            let client = try await HTTP2Client.connect(port: live.port())
            let reply = try await client.call(
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export", frame: HTTP2Client.frame(try OTLPSamples.traces()))
            #expect(reply.grpcStatus == 14)
            #expect(reply.field("grpc-status-details-bin") != nil)
            live.store.release()
            #expect(try await first.grpcStatus == 0)
            await client.close()
            await holder.close()
        }
    }

    @Test func whatADamagedBodyClaimedIsGivenBackAtOnce() async throws {
        try await LiveCollector.run { live in
            // Gzip whose last bytes claim two gigabytes.
            let body: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF] + Array(repeating: 0xFF, count: 12) + [0xFF, 0xFF, 0xFF, 0x7F]
            let head =
                "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: \(body.count)\r\n\r\n"
            let connection = try await RawConnection.connect(port: live.port())
            for count in 1...4 {
                try await connection.send(Array(head.utf8) + body)
                let answers = try await connection.receive { String(decoding: $0, as: UTF8.self).occurrences(of: "HTTP/1.1 ") == count }
                #expect(answers.occurrences(of: "HTTP/1.1 400") == count)
            }
            await connection.close()
        }
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func occurrences(of text: String) -> Int { ranges(of: text).count }
}

import Logging
import OrielClient
import OrielOTLP
import OrielTelemetry
import OrielTesting
import Testing
import Tracing

@testable import Oriel

@Suite struct FunctionTests {
    private struct Failure: Error {}

    private let exporter = MemoryExporter()
    private let telemetry: Oriel.Telemetry

    init() throws {
        var configuration = Oriel.Configuration()
        configuration.logExporters = [.otlp]
        configuration.resourceAttributes = [Attribute("faas.name", .string("receipts")), Attribute("service.instance.id", .string("sandbox-1"))]
        telemetry = try Oriel.Telemetry(configuration, exporter: exporter)
    }

    private func invocation(_ id: String, deadline: Timestamp? = nil, header: String? = nil) -> Oriel.Invocation {
        Oriel.Invocation(
            requestID: id, functionARN: "arn:aws:lambda:eu-central-1:123456789012:function:receipts", deadline: deadline, traceHeader: header)
    }

    private let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func allOfAnInvocationIsSentWhenItReturns() async throws {
        let result = await telemetry.invocation(invocation("r1")) { () -> Int in
            telemetry.tracer.withSpan("render") { _ in }
            Logger(label: "receipts") { telemetry.logHandler(label: $0) }.info("made")
            return 7
        }
        #expect(result == 7)
        // Nothing is waited for here: what was not sent by now would be lost with the sandbox.
        let root = try #require(exporter.spans.first { $0.name == "receipts" })
        let child = try #require(exporter.spans.first { $0.name == "render" })
        #expect(root.isRoot)
        #expect(child.parentSpanID == root.spanID)
        #expect(root["faas.invocation_id"] == .string("r1"))
        #expect(root["faas.coldstart"] == .bool(true))
        #expect(root["cloud.resource_id"] == .string("arn:aws:lambda:eu-central-1:123456789012:function:receipts"))
        #expect(exporter.logs.map(\.spanID) == [root.spanID])
        #expect(!exporter.metrics.isEmpty)
        #expect(telemetry.statistics?[.spans].waiting == 0)
        await telemetry.invocation(invocation("r2")) {}
        #expect(exporter.spans.last?["faas.coldstart"] == .bool(false))
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func oneCarrierIsTheParentAndSeveralAreLinks() async throws {
        await telemetry.invocation(invocation("one"), carriers: [["TraceParent": parent]]) {}
        let one = try #require(exporter.spans.last)
        #expect(one.traceID.hexadecimal == "0af7651916cd43dd8448eb211c80319c")
        #expect(one.parentSpanID.hexadecimal == "b7ad6b7169203331")
        #expect(one.links.isEmpty)
        #expect(one.span.kind == 2)

        let second = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"
        await telemetry.invocation(invocation("two"), carriers: [["traceparent": parent], ["traceparent": second], ["other": "x"]]) {}
        let two = try #require(exporter.spans.last)
        #expect(two.isRoot)
        #expect(two.links.map(\.spanID.hexadecimal) == ["b7ad6b7169203331", "c7ad6b7169203331"])
        #expect(two.span.kind == 5)
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func aBatchOfOneMessageIsALinkToo() async throws {
        for trigger in [Oriel.FunctionTrigger.pubsub, .datasource] {
            await telemetry.invocation(invocation(trigger.rawValue), trigger: trigger, carriers: [["traceparent": parent]]) {}
            let batch = try #require(exporter.spans.last)
            #expect(batch.isRoot && batch.span.kind == 5)
            #expect(batch.links.map(\.spanID.hexadecimal) == ["b7ad6b7169203331"])
            #expect(batch.span["faas.trigger"] == .string(trigger.rawValue))
        }
        await telemetry.invocation(invocation("request"), trigger: .http, carriers: [["traceparent": parent]]) {}
        let request = try #require(exporter.spans.last)
        #expect(request.parentSpanID.hexadecimal == "b7ad6b7169203331" && request.span.kind == 2 && request.span["faas.trigger"] == "http")
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func thePlatformsTraceIsTheParentOnlyWhenNothingElseIs() async throws {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        await telemetry.invocation(invocation("platform", header: header)) {}
        let alone = try #require(exporter.spans.last)
        #expect(alone.traceID.hexadecimal == "5759e988bd862e3fe1be46a994272793")
        #expect(alone.parentSpanID.hexadecimal == "53995c3f42cd8ad8")

        await telemetry.invocation(invocation("both", header: header), carriers: [["traceparent": parent]]) {}
        let both = try #require(exporter.spans.last)
        #expect(both.traceID.hexadecimal == "0af7651916cd43dd8448eb211c80319c")
        #expect(both.links.map(\.spanID.hexadecimal) == ["53995c3f42cd8ad8"])

        await telemetry.invocation(invocation("unsampled", header: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0")) {}
        let unsampled = try #require(exporter.spans.last)
        #expect(unsampled.isRoot)
        #expect(unsampled.links.count == 1)
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func anErrorIsRecordedAndThrown() async throws {
        await #expect(throws: Failure.self) {
            try await telemetry.invocation(invocation("failing")) { throw Failure() }
        }
        let span = try #require(exporter.spans.last)
        #expect(span.isError)
        #expect(span.events.map(\.name) == ["exception"])
        #expect(telemetry.prometheusText().contains("faas_errors_total 1"))
        await telemetry.shutdown(timeout: .seconds(30))
    }

    @Test func metricsOfAFunctionAreDeltasWithoutTheSandbox() async throws {
        for id in 0..<3 { await telemetry.invocation(invocation("\(id)")) {} }
        await telemetry.shutdown(timeout: .seconds(30))
        var translated = 0.0
        var decoder = OTLPDecoder()
        for batch in exporter.metrics {
            let decoded = try decoder.metrics(batch.request.span, receiveTime: .now)
            let deltas = decoded.deltas.samples
            for row in 0..<deltas.count {
                guard case .series(let labels) = try StreamDescriptor(encoded: deltas.streams.descriptor(Int(deltas.streamIndexes[row])).span) else { continue }
                #expect(!labels.contains { $0.name == "instance" && $0.value == "sandbox-1" })
                if labels.contains(where: { $0.name == Label.metricName && $0.value == "faas_invocations_total" }) { translated += deltas.values[row] }
            }
        }
        #expect(translated == 3)
    }

    @Test func sendingEndsBeforeTheInvocationsDeadline() {
        let now = Timestamp(nanoseconds: 1_000_000_000_000)
        #expect(invocation("x").flushDeadline(now: now) == now.advanced(by: 500_000_000))
        #expect(invocation("x", deadline: now.advanced(by: 10_000_000_000)).flushDeadline(now: now) == now.advanced(by: 500_000_000))
        #expect(invocation("x", deadline: now.advanced(by: 200_000_000)).flushDeadline(now: now) == now.advanced(by: 150_000_000))
    }

    @Test func aDeadCollectorHoldsAnInvocationUpForItsDeadlineAtMost() async throws {
        var configuration = Oriel.Configuration()
        configuration.logExporters = [.otlp]
        let dead = try Oriel.Telemetry(configuration, exporter: DeadExporter())
        let deadline = Timestamp.now.advanced(by: 250_000_000)
        let result = await dead.invocation(invocation("dead", deadline: deadline)) { 1 }
        #expect(result == 1)
        #expect(dead.statistics?[.spans].delivered == 0)
        await dead.shutdown(timeout: .seconds(1))
        #expect(dead.statistics?[.spans].dropped[.shutdown] == 1)
    }

    @Test func carriersFindNamesInAnyCase() {
        let carrier: Oriel.Carrier = ["TraceParent": "a", "X-Amzn-Trace-Id": "b"]
        #expect(carrier["traceparent"] == "a")
        #expect(carrier["x-amzn-trace-id"] == "b")
        #expect(carrier["X-AMZN-TRACE-ID"] == "b")
        #expect(carrier["none"] == nil)
    }
}

/// A receiver that is not there.
private struct DeadExporter: TelemetryExporter {
    func export(_ batch: ExportBatch, deadline: Timestamp) -> ExportOutcome { .failed(reason: "connection refused") }
}

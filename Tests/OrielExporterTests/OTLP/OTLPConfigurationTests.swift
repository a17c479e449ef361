import OrielClient
import OrielTelemetry
import Testing

@testable import OrielExporterOTLP

@Suite struct OTLPConfigurationTests {
    @Test(arguments: [
        ("http://localhost:4318", "localhost:4318", "/v1/traces"),
        ("http://localhost:4318/", "localhost:4318", "/v1/traces"),
        ("HTTP://collector", "collector", "/v1/traces"),
        ("http://collector:80/otlp", "collector", "/otlp/v1/traces"),
        ("http://10.0.0.1:4318/otlp//", "10.0.0.1:4318", "/otlp/v1/traces"),
        ("http://[::1]:4318", "[::1]:4318", "/v1/traces"),
        ("http://[fe80::1%25eth0]:4318", "[fe80::1]:4318", "/v1/traces"),
        ("http://host:?key=a/b#fragment", "host", "/v1/traces?key=a/b"),
        ("unix:/run/oriel.sock", "localhost", "/v1/traces"),
        ("unix:///run/oriel.sock", "localhost", "/v1/traces"),
        ("http+unix://%2Frun%2foriel.sock/in", "localhost", "/in/v1/traces"),
    ]) func endpointsAreTakenApart(text: String, authority: String, target: String) throws {
        let endpoint = try OTLPEndpoint(text, signal: .spans, isBase: true)
        #expect(endpoint.authority == authority)
        #expect(endpoint.target == target)
        if case .unix(let path) = endpoint.address { #expect(path == "/run/oriel.sock") }
    }

    @Test(arguments: [
        ("http://h:4318", "/"), ("http://h:4318/", "/"), ("http://h:4318/x/", "/x/"), ("http://h?q", "/?q"), ("http+unix://%2Fs", "/"),
        ("unix:/s", "/v1/traces"),
    ]) func anEndpointOfOneKindIsUsedAsItIs(text: String, target: String) throws {
        #expect(try OTLPEndpoint(text, signal: .spans, isBase: false).target == target)
    }

    @Test(arguments: [
        ("", "http://localhost:4318"),
        ("localhost:4318", "http://localhost:4318 may be meant"),
        ("collector", "http://collector may be meant"),
        ("ftp://host", "the scheme must be"),
        ("grpc://host:4317", "over HTTP"),
        ("http:host", "// must follow"),
        ("http://", "names no host"),
        ("http://:4318", "names no host"),
        ("http://host:0", "1 to 65535"),
        ("http://host:65536", "1 to 65535"),
        ("http://host:4318x", "1 to 65535"),
        ("http://::1:4318", "in brackets"),
        ("http://[::1", "does not close"),
        ("http://[localhost]", "IPv6"),
        ("http://ho st", "percent-encoded"),
        ("http://höst", "percent-encoded"),
        ("http://h%00st", "names no host"),
        ("http://h%zzst", "names no host"),
        ("unix:relative", "a path must follow"),
        ("unix://host/path", "a path must follow"),
        ("http+unix://run", "percent-encoded"),
        ("unix:/" + String(repeating: "x", count: 107), "107 bytes"),
    ]) func whatIsNoEndpointIsRefused(text: String, hint: String) {
        let error = #expect(throws: OTLPExporterError.self) { try OTLPExporter(.init(endpoint: text)) }
        guard case .invalidEndpoint(text, let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains(hint))
        #expect(error?.description.contains("\"\(text)\"") == true)
    }

    @Test(arguments: [
        ("http://user:secret@host", "\"http://…@host\"", "Authorization"),
        ("http://secret@host/x?token=secret#secret", "\"http://…@host/x?…\"", "Authorization"),
        ("http://user:sec/secret@host:4318", "\"http://…@host:4318\"", "must be a number"),
        ("http://user:sec?secret@host", "\"http://…@host\"", "must be a number"),
        ("http://user:sec#secret@host", "\"http://…@host\"", "must be a number"),
        ("secret:secret@host:4318", "\"…@host:4318\"", "the scheme must be"),
        ("secret@host", "\"…@host\"", "http://…@host may be meant"),
        ("host:4318?token=secret", "\"host:4318?…\"", "the scheme must be"),
        ("host?token=secret", "\"host?…\"", "http://host?… may be meant"),
        ("http://host:0/?token=secret", "\"http://host:0/?…\"", "1 to 65535"),
        ("grpc://user:secret@host?secret", "\"grpc://…@host?…\"", "over HTTP"),
    ]) func secretsInEndpointsAreNotTold(text: String, shown: String, hint: String) {
        let error = #expect(throws: OTLPExporterError.self) { try OTLPExporter(.init(endpoint: text)) }
        let description = error?.description ?? ""
        #expect(!description.contains("sec") && description.contains(shown) && description.contains(hint), "\(description)")
    }

    @Test func whatIsWrongWithOneKindKeepsNoneOfTheOthersBack() throws {
        var configuration = OTLPExporter.Configuration()
        configuration.overrides[.logs] = .init(endpoint: "ftp://host")
        configuration.overrides[.spans] = .init(headers: [.init("Content-Type", "x")])
        var problems: [ExportSignal: OTLPExporterError] = [:]
        let exporter = OTLPExporter(usableOf: configuration, &problems)
        #expect(Set(problems.keys) == [.logs, .spans])
        let refused = ExportSignal.allCases.filter { signal in
            let batch = ExportBatch(signal: signal, request: [], itemCount: 1)
            // No time is left to send what could be sent.
            if case .refused = exporter.export(batch, deadline: Timestamp(nanoseconds: 0)) { return true }
            return false
        }
        #expect(Set(refused) == [.logs, .spans])

        // Nobody looks at what is said of kinds that are not sent.
        configuration.signals = [.metrics]
        _ = try OTLPExporter(configuration)
        let batch = ExportBatch(signal: .logs, request: [], itemCount: 1)
        guard case .refused = try OTLPExporter(configuration).export(batch, deadline: Timestamp.now.advanced(by: 1_000_000_000)) else {
            Issue.record("not refused")
            return
        }
    }

    @Test(arguments: [
        ("", "1"), ("a b", "1"), ("a:", "1"), ("ä", "1"), ("a", "1\r\nb: 2"), ("a", "\u{0}"), ("Content-Length", "5"), ("transfer-encoding", "chunked"),
    ]) func headersThatCannotBeSentAreRefused(name: String, value: String) {
        var configuration = OTLPExporter.Configuration()
        configuration.overrides[.metrics] = .init(headers: [.init(name, value)])
        let error = #expect(throws: OTLPExporterError.self) { try OTLPExporter(configuration) }
        guard case .invalidHeader(name, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func ownHeadersComeFirst() throws {
        let endpoint = try OTLPEndpoint("http://h", signal: .logs, isBase: true)
        let head = try HTTPRequestHead(endpoint, headers: [.init("user-agent", "mine"), .init("HOST", "other"), .init("X~!", "ä\tb")])
        #expect(
            String(decoding: head.bytes(length: 5, isCompressed: true), as: UTF8.self)
                == "POST /v1/logs HTTP/1.1\r\nuser-agent: mine\r\nHOST: other\r\nX~!: ä\tb\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: gzip\r\n"
                + "Content-Length: 5\r\n\r\n")
    }

    #if !TLS
    @Test func httpsNeedsTheTrait() {
        let error = #expect(throws: OTLPExporterError.self) { try OTLPExporter(.init(endpoint: "https://host")) }
        #expect(error == .needsTLS(endpoint: "https://host"))
        #expect(error?.description.contains("trait \"TLS\"") == true)
    }
    #endif

    @Test(
        arguments: [
            ("120", nil, 120), ("0", nil, 0), ("99999999999999999999", nil, 31_536_000), ("Sun, 06 Nov 1994 08:49:37 GMT", nil, 37),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:30 GMT", 7), ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1995 08:49:30 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", "yesterday", 37), ("", nil, nil), ("-1", nil, nil), ("soon", nil, nil),
            ("Sun, 36 Nov 1994 08:49:37 GMT", nil, nil),
            ("Sun, 06 Nov 1994 08:49 GMT", nil, nil), ("1.5", nil, nil),
        ] as [(String, String?, Int?)]) func retryAfterIsUnderstood(text: String, date: String?, seconds: Int?)
    {
        // 1994-11-06T08:49:00Z
        let now = Timestamp(nanoseconds: 784_111_740_000_000_000)
        #expect(RetryAfter.delay(text, date: date, now: now) == seconds.map { .seconds($0) })
    }
}

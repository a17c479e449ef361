import OrielCollector
import OrielStoreConformance
import OrielTelemetry
import Testing

/// The description of the API against what it does.
@Suite struct OpenAPITests {
    @Test func everyPathAndParameterAnswersAsDescribed() async throws {
        let shop = try await ShopAPI()
        let document = try await shop.get("openapi.json")
        let validator = SchemaValidator(document: document)
        let paths = try #require(document["paths"]?.members).filter { $0.key.hasPrefix("/v1/") }
        #expect(
            Set(paths.keys) == ["/v1/traces", "/v1/traces/{id}", "/v1/logs", "/v1/series", "/v1/metrics", "/v1/services", "/v1/openapi.json"])
        for (path, item) in paths {
            let operation = try #require(item["get"])
            let schema = try #require(operation["responses"]?["200"]?["content"]?["application/json"]?["schema"])
            let parameters = (operation["parameters"]?.elements ?? []).map { $0["$ref"]?.text.map(validator.resolve) ?? $0 }
            let target = path.dropFirst("/v1/".count).replacing("{id}", with: ShopRows.failedTrace.hexadecimal)

            // Without parameters, and with each alone.
            var requests = [String(target)]
            for parameter in parameters where parameter["in"] == .string("query") {
                let name = try #require(parameter["name"]?.text)
                guard let example = parameter["example"] else {
                    #expect(name == "cursor", "\(path): \(name) has no example")
                    continue
                }
                requests.append("\(target)?\(name)=\(encode(example))")
            }
            for request in requests {
                let answer = try await shop.get(request)
                #expect(validator.violations(of: answer, schema) == [], "\(request)")
            }

            // The names in the refusal of an unknown one are the described ones.
            let refusal = try await shop.get("\(target)?no_such_parameter=1", status: 400)
            #expect(validator.violations(of: refusal, .object(["$ref": .string("#/components/schemas/Error")])) == [])
            let described = parameters.filter { $0["in"] == .string("query") }.compactMap { $0["name"]?.text }
            let message = refusal["error"]?["message"]?.text ?? ""
            let known = message.split(separator: "known are ").last.map { $0.split(separator: ", ").map(String.init) } ?? []
            #expect(Set(message.contains("takes none") ? [] : known) == Set(described), "\(path)")
        }
    }

    @Test func richAnswersFitTheirSchemas() async throws {
        let shop = try await ShopAPI()
        let validator = SchemaValidator(document: try await shop.get("openapi.json"))
        for (path, schema) in [
            ("series?points=all&exemplars=true", "SeriesList"), ("logs?limit=2", "LogList"), ("traces?limit=1", "TraceList"),
            ("traces/\(ShopRows.failedTrace)?limit=1", "Trace"),
        ] {
            let answer = try await shop.get(path)
            #expect(validator.violations(of: answer, .object(["$ref": .string("#/components/schemas/\(schema)")])) == [], "\(path)")
        }
        guard case .lines(var tail) = await shop.api.respond(to: "/api/oriel/v1/logs?follow=true").body, let lines = await tail.next() else {
            Issue.record("no lines")
            return
        }
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            let value = try JSONTree(Array(line))
            #expect(validator.violations(of: value, .object(["$ref": .string("#/components/schemas/FollowLine")])) == [])
        }
    }

    /// The validator refuses what it should, so that its silence means something.
    @Test func theValidatorSeesViolations() throws {
        let schema = try JSONTree(Array(#"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}"#.utf8))
        let validator = SchemaValidator(document: .null)
        for text in [#"{}"#, #"{"a":1.5}"#, #"{"a":1,"b":2}"#, "[]"] {
            #expect(validator.violations(of: try JSONTree(Array(text.utf8)), schema) != [], "\(text)")
        }
    }

    private func encode(_ example: JSONTree) -> String {
        let text: String =
            switch example {
            case .bool(let flag): flag ? "true" : "false"
            case .number(let number): String(Int(number))
            default: example.text ?? ""
            }
        return text.utf8.reduce(into: "") { encoded, byte in
            let scalar = UnicodeScalar(byte)
            if byte < 0x80, scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
                encoded.unicodeScalars.append(scalar)
            } else {
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
    }
}

import OrielTelemetry

/// A question that people on call ask of a store, as requests to its API with ever other ids and values.
struct StoreQuestion: Sendable {
    /// For people, such as "trace by id".
    let name: String
    /// The member of the answer that lists what was found.
    let member: String
    /// The requests to choose from; never empty.
    let targets: [String]
    /// Whether all pages belong to the answer.
    var hasPages = false

    /// Begins the keys of the report.
    var key: String { String(name.map { $0.isLetter || $0.isNumber ? $0 : "_" }) }

    /// A target of the API.
    static func target(_ path: String, _ parameters: KeyValuePairs<String, String>) -> String {
        let query = parameters.map { "\($0.key)=\(QueryTarget.encode($0.value))" }.joined(separator: "&")
        return "/api/oriel/v1/\(path)" + (query.isEmpty ? "" : "?" + query)
    }
}

/// Asks a store's API over one connection.
struct StoreClient: ~Copyable {
    private var connection: BlockingHTTPConnection

    init(_ endpoint: LoadEndpoint) throws(LoadError) {
        connection = try BlockingHTTPConnection(endpoint)
    }

    /// The body of an answer.
    ///
    /// - Throws: ``LoadError`` unless the status is 200.
    mutating func get(_ target: String) throws(LoadError) -> [UInt8] {
        let response = try connection.send(method: "GET", path: target)
        guard response.status == 200 else {
            throw LoadError("GET \(target) was answered \(response.status): \(String(decoding: response.body.prefix(400), as: UTF8.self))")
        }
        return response.body
    }

    /// What an answer lists, decoded.
    mutating func list<Row: Decodable>(_ type: Row.Type, _ path: String, _ parameters: KeyValuePairs<String, String>) throws -> [Row] {
        let member = path.prefix { $0 != "/" }
        return try AnswerList.elements(String(member), of: try get(StoreQuestion.target(path, parameters))).elements.map {
            try AnswerList.decode(type, $0)
        }
    }
}

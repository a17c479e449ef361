/// A metric's name and unit as the application gave them: `http.server.request.duration` in `s` for the family `http_server_request_duration_seconds`.
struct InstrumentName: Sendable, Hashable {
    var name: String
    /// As given, or the word for it, or empty: the first of these of which receivers make the family's name.
    var unit: String
}

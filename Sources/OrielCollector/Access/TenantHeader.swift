import HTTPTypes
import OrielStore

/// `X-Scope-OrgID`: whose telemetry a request writes or reads, said by the request itself, as Loki, Tempo and Mimir have it. It counts where `tenancy.header` says so, and
/// is for proxies that know who asks: whoever sets it chooses the tenant.
enum TenantHeader {
    /// Bytes of a name, the same as elsewhere.
    static let maximumSize = 150

    /// The tenant that a request names; `nil` when it names none, or where none counts.
    ///
    /// - Throws: 403 for another tenant than the token's and where all tenants are concerned, 400 for what names no tenant.
    static func tenant(_ head: HTTPRequest, role: ListenerRole, bearer: Bearer?) throws(HTTPProblem) -> String? {
        // Fields that are given twice come joined by a comma, which no name has.
        guard let name = head.headerFields[.tenant] else { return nil }
        switch role {
        case .metrics: return nil
        case .admin: throw HTTPProblem(.forbidden, "this concerns all tenants together; leave \(HTTPField.Name.tenant) out")
        case .ingest, .query: break
        }
        if let bearer, let own = bearer.record.tenant {
            guard own == name else {
                throw HTTPProblem(
                    .forbidden, "the token \"\(bearer.record.name)\" is tenant \(own)'s, and \(HTTPField.Name.tenant) names another; leave it out")
            }
            return own
        }
        guard !name.utf8.contains(UInt8(ascii: "|")) else {
            throw HTTPProblem(.badRequest, "\(HTTPField.Name.tenant) names several tenants; a request is of one")
        }
        guard isValid(name) else {
            throw HTTPProblem(
                .badRequest, "\(HTTPField.Name.tenant) names a tenant with 1 to \(maximumSize) letters, digits and !-_.*'() (ASCII), and neither . nor .. alone"
            )
        }
        return name
    }

    static func isValid(_ name: String) -> Bool {
        (1...maximumSize).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "!-_.*'()".utf8.contains(byte)
                }
            }
    }
}

extension HTTPField.Name {
    static let tenant = HTTPField.Name(known: "X-Scope-OrgID")
}

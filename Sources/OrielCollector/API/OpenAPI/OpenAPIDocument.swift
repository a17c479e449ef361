/// The description of the API and of its administration in OpenAPI 3.1. A test compares it with what the server does.
enum OpenAPIDocument {
    /// One subject's members of `paths` and of `components.schemas`, as JSON without the braces around them.
    struct Part {
        let paths: String
        let schemas: String
    }

    private static let parts = [traces, logs, metrics, services, tokens, pins, deletions, store]

    static let text = """
        {
        \(information),
          "paths": {
        \(parts.map(\.paths).joined(separator: ",\n"))
          },
          "components": {
        \(security),
            "parameters": {
        \(parameters)
            },
            "schemas": {
        \((parts.map(\.schemas) + [commonSchemas]).joined(separator: ",\n"))
            },
            "responses": {
        \(responses)
            }
          }
        }
        """

    private static let information = #"""
          "openapi": "3.1.0",
          "info": {
            "title": "Oriel",
            "version": "1",
            "description": "/v1: traces, log records and metric series. GET only. Times are RFC 3339 in UTC and unix nanoseconds as text. Unknown parameters are refused. Pages go on with cursor as long as next is not null. /admin/v1: administration, on the socket in the data folder, and with a token of scope admin on listeners with that role.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
          },
          "servers": [{"url": "/api/oriel"}],
          "security": [{}, {"token": []}]
        """#

    private static let security = #"""
            "securitySchemes": {
              "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Asked for as soon as the server has tokens, except on its unix socket. The token needs scope query, for /admin/v1 scope admin; with a tenant it reads that tenant's telemetry only. With the setting tenancy.header, X-Scope-OrgID names the tenant where the token has none. 403: it lacks the scope, or is another tenant's. 429: one of its limits is reached; Retry-After says when to come back."
              }
            }
        """#
}

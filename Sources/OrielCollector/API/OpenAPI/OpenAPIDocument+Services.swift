extension OpenAPIDocument {
    /// What sends telemetry, and this document itself.
    static let services = Part(
        paths: #"""
                "/v1/services": {
                  "get": {
                    "summary": "Services",
                    "description": "Values of service.name in the range and the signals they sent.",
                    "parameters": [
                      {"$ref": "#/components/parameters/start"},
                      {"$ref": "#/components/parameters/end"},
                      {"$ref": "#/components/parameters/since"}
                    ],
                    "responses": {
                      "200": {
                        "description": "The answer.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ServiceList"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                },
                "/v1/openapi.json": {
                  "get": {
                    "summary": "This document",
                    "parameters": [],
                    "responses": {
                      "200": {"description": "The document.", "content": {"application/json": {"schema": {"type": "object"}}}},
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"}
                    }
                  }
                }
            """#,
        schemas: #"""
                  "ServiceList": {
                    "type": "object",
                    "properties": {
                      "services": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {"name": {"type": "string"}, "signals": {"type": "array", "items": {"type": "string", "enum": ["spans", "logs"]}}},
                          "required": ["name", "signals"],
                          "additionalProperties": false
                        }
                      }
                    },
                    "required": ["services"],
                    "additionalProperties": false
                  }
            """#)
}

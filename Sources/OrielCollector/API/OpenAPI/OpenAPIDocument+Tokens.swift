extension OpenAPIDocument {
    /// Who may send and ask.
    static let tokens = Part(
        paths: #"""
                "/admin/v1/tokens": {
                  "get": {
                    "summary": "Tokens",
                    "description": "All that are valid, without their text.",
                    "responses": {
                      "200": {
                        "description": "The answer.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TokenList"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  },
                  "post": {
                    "summary": "Make a token",
                    "description": "Its text is in this answer and nowhere else.",
                    "requestBody": {
                      "required": true,
                      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TokenOrder"}}}
                    },
                    "responses": {
                      "201": {
                        "description": "The token.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Token"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "409": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                },
                "/admin/v1/tokens/{name}": {
                  "delete": {
                    "summary": "Revoke a token",
                    "description": "At once, with what it follows.",
                    "parameters": [
                      {
                        "name": "name",
                        "in": "path",
                        "required": true,
                        "description": "Name or id of the token.",
                        "schema": {"type": "string"},
                        "example": "checkout"
                      }
                    ],
                    "responses": {
                      "200": {
                        "description": "What it was.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Token"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "404": {"$ref": "#/components/responses/Error"},
                      "409": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                }
            """#,
        schemas: #"""
                  "TokenList": {
                    "type": "object",
                    "properties": {"tokens": {"type": "array", "items": {"$ref": "#/components/schemas/Token"}}},
                    "required": ["tokens"],
                    "additionalProperties": false
                  },
                  "Token": {
                    "type": "object",
                    "properties": {
                      "id": {"type": "string"},
                      "name": {"type": "string"},
                      "token": {"type": "string", "description": "The token itself, once."},
                      "scopes": {"type": "array", "items": {"type": "string", "enum": ["ingest", "query", "admin", "metrics"]}},
                      "tenant": {"type": ["string", "null"]},
                      "limits": {"$ref": "#/components/schemas/TokenLimits"},
                      "created": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
                      "created_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]},
                      "origin": {"type": "string", "enum": ["store", "file"], "description": "file: the tokens file, which alone can revoke it."}
                    },
                    "required": ["id", "name", "scopes", "tenant", "limits", "created", "created_unix_nano", "origin"],
                    "additionalProperties": false
                  },
                  "TokenLimits": {
                    "type": "object",
                    "properties": {
                      "requests": {"type": ["integer", "null"], "description": "Requests in progress."},
                      "queries": {"type": ["integer", "null"], "description": "Queries in progress."},
                      "ingest_bytes_per_second": {"type": ["integer", "null"]}
                    },
                    "required": ["requests", "queries", "ingest_bytes_per_second"],
                    "additionalProperties": false
                  },
                  "TokenOrder": {
                    "type": "object",
                    "properties": {
                      "name": {"type": "string", "description": "1 to 100 letters, digits and -_."},
                      "scopes": {"type": "array", "items": {"type": "string", "enum": ["ingest", "query", "admin", "metrics"]}},
                      "tenant": {"type": ["string", "null"], "description": "With it scopes are ingest and query."},
                      "limits": {
                        "type": ["object", "null"],
                        "properties": {
                          "requests": {"type": ["integer", "null"]},
                          "queries": {"type": ["integer", "null"]},
                          "ingest_bytes_per_second": {"type": ["integer", "null"]}
                        }
                      }
                    },
                    "required": ["name", "scopes"],
                    "additionalProperties": false
                  }
            """#)
}

extension OpenAPIDocument {
    /// What is kept beyond retention.
    static let pins = Part(
        paths: #"""
                "/admin/v1/pins": {
                  "get": {
                    "summary": "Pins",
                    "description": "What is kept beyond retention, oldest first. Log records, spans and exemplars that several pins keep are counted with one of them.",
                    "responses": {
                      "200": {
                        "description": "The answer.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PinList"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  },
                  "post": {
                    "summary": "Pin a trace or a window of time",
                    "description": "Copies what is there now; answers when the copy is durable, which may take minutes. 404: there is nothing to pin. 422: pins would take more than they may.",
                    "requestBody": {
                      "required": true,
                      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/PinOrder"}}}
                    },
                    "responses": {
                      "201": {
                        "description": "The pin.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pin"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "404": {"$ref": "#/components/responses/Error"},
                      "422": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "501": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                },
                "/admin/v1/pins/{id}": {
                  "delete": {
                    "summary": "Give a pin up",
                    "description": "Rows below the floor of retention that no other pin keeps are gone, at once for queries and soon on disk.",
                    "parameters": [
                      {
                        "name": "id",
                        "in": "path",
                        "required": true,
                        "description": "As GET /admin/v1/pins tells it.",
                        "schema": {"type": "string"},
                        "example": "3"
                      }
                    ],
                    "responses": {
                      "200": {
                        "description": "What it was.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pin"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "404": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                }
            """#,
        schemas: #"""
                  "PinList": {
                    "type": "object",
                    "properties": {"pins": {"type": "array", "items": {"$ref": "#/components/schemas/Pin"}}},
                    "required": ["pins"],
                    "additionalProperties": false
                  },
                  "Pin": {
                    "type": "object",
                    "properties": {
                      "id": {"type": "string"},
                      "signals": {"type": "array", "items": {"type": "string", "enum": ["logs", "spans", "samples", "histograms", "exemplars"]}},
                      "start": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
                      "start_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]},
                      "end": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
                      "end_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]},
                      "filter": {"type": "string", "description": "The conditions in words; \"every row\" without any."},
                      "note": {"type": "string"},
                      "created": {"$ref": "#/components/schemas/Time"},
                      "created_unix_nano": {"$ref": "#/components/schemas/Int64"},
                      "rows": {"type": "integer"},
                      "bytes": {"type": "integer", "description": "Of the copies."}
                    },
                    "required": ["id", "signals", "start", "start_unix_nano", "end", "end_unix_nano", "filter", "note", "created", "created_unix_nano", "rows", "bytes"],
                    "additionalProperties": false
                  },
                  "PinOrder": {
                    "type": "object",
                    "description": "A trace_id, a start or an end is needed.",
                    "properties": {
                      "trace_id": {
                        "type": ["string", "array"],
                        "items": {"type": "string"},
                        "description": "One or several traces, 100 at most: their spans, log records and exemplars."
                      },
                      "signal": {
                        "type": ["string", "array"],
                        "items": {"type": "string"},
                        "description": "logs, spans, metrics or several of them. Default: all that the rest can choose from."
                      },
                      "start": {
                        "type": ["string", "integer"],
                        "description": "RFC 3339, unix seconds/milliseconds/nanoseconds, a duration before now (1h), or a day such as \"yesterday 14:00\" (UTC)."
                      },
                      "end": {
                        "type": ["string", "integer"],
                        "description": "RFC 3339, unix seconds/milliseconds/nanoseconds, a duration before now (1h), or a day such as \"yesterday 14:00\" (UTC)."
                      },
                      "since": {"type": ["string", "integer"], "description": "Another name for start."},
                      "service": {"type": "string", "description": "Of logs and spans: value of service.name."},
                      "note": {"type": ["string", "null"], "description": "Why; 1000 bytes at most."}
                    },
                    "additionalProperties": false
                  }
            """#)
}

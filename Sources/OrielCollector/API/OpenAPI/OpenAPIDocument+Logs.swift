extension OpenAPIDocument {
    /// Log records.
    static let logs = Part(
        paths: #"""
                "/v1/logs": {
                  "get": {
                    "summary": "Log records",
                    "description": "Newest first by default. With trace_id the range is all of time by default. With follow=true the answer does not end: lines of JSON, first the latest records (limit, default 10), then what is committed from then on.",
                    "parameters": [
                      {"$ref": "#/components/parameters/start"},
                      {"$ref": "#/components/parameters/end"},
                      {"$ref": "#/components/parameters/since"},
                      {"$ref": "#/components/parameters/service"},
                      {
                        "name": "severity",
                        "in": "query",
                        "description": "At least this severity: trace, debug, info, warn, error, fatal or a number from 1 to 24.",
                        "schema": {"type": "string"},
                        "example": "warn"
                      },
                      {"$ref": "#/components/parameters/text"},
                      {"$ref": "#/components/parameters/words"},
                      {"$ref": "#/components/parameters/trace_id"},
                      {"$ref": "#/components/parameters/attribute"},
                      {
                        "name": "order",
                        "in": "query",
                        "description": "Which records come first.",
                        "schema": {"type": "string", "enum": ["newest", "oldest"], "default": "newest"},
                        "example": "oldest"
                      },
                      {"$ref": "#/components/parameters/limit"},
                      {"$ref": "#/components/parameters/cursor"},
                      {
                        "name": "follow",
                        "in": "query",
                        "description": "Stream new records. end and order cannot be given.",
                        "schema": {"type": "boolean", "default": false},
                        "example": false
                      }
                    ],
                    "responses": {
                      "200": {
                        "description": "The answer.",
                        "content": {
                          "application/json": {"schema": {"$ref": "#/components/schemas/LogList"}},
                          "application/x-ndjson": {"schema": {"$ref": "#/components/schemas/FollowLine"}}
                        }
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                }
            """#,
        schemas: #"""
                  "LogList": {
                    "type": "object",
                    "properties": {
                      "logs": {"type": "array", "items": {"$ref": "#/components/schemas/LogRecord"}},
                      "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last one."}
                    },
                    "required": ["logs", "next"],
                    "additionalProperties": false
                  },
                  "LogRecord": {
                    "type": "object",
                    "properties": {
                      "ord": {
                        "anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}],
                        "description": "The record's number in the order of commits; grows for ever."
                      },
                      "time": {"$ref": "#/components/schemas/Time"},
                      "time_unix_nano": {"$ref": "#/components/schemas/Int64"},
                      "time_origin": {
                        "type": "string",
                        "enum": ["record", "observed", "received"],
                        "description": "Where time came from when the record had none."
                      },
                      "observed_time": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
                      "observed_time_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]},
                      "service": {"type": "string"},
                      "severity": {"type": "string", "description": "The name of severity_number: TRACE, DEBUG2, ..., empty when it is 0."},
                      "severity_number": {"type": "integer"},
                      "severity_text": {"type": "string"},
                      "body": {"$ref": "#/components/schemas/Value"},
                      "event_name": {"type": "string"},
                      "trace_id": {"anyOf": [{"$ref": "#/components/schemas/TraceID"}, {"type": "null"}]},
                      "span_id": {"anyOf": [{"$ref": "#/components/schemas/SpanID"}, {"type": "null"}]},
                      "flags": {"type": "integer"},
                      "attributes": {"type": "array", "items": {"$ref": "#/components/schemas/Attribute"}},
                      "dropped_attributes_count": {"type": "integer"},
                      "resource": {"$ref": "#/components/schemas/Resource"},
                      "scope": {"$ref": "#/components/schemas/Scope"}
                    },
                    "required": [
                      "ord",
                      "time",
                      "time_unix_nano",
                      "time_origin",
                      "observed_time",
                      "observed_time_unix_nano",
                      "service",
                      "severity",
                      "severity_number",
                      "severity_text",
                      "body",
                      "event_name",
                      "trace_id",
                      "span_id",
                      "flags",
                      "attributes",
                      "dropped_attributes_count",
                      "resource",
                      "scope"
                    ],
                    "additionalProperties": false
                  },
                  "FollowLine": {
                    "type": "object",
                    "description": "One line. log: a record. position: all records up to here were delivered; give it as cursor to go on. gap: records were missed here. error: the last line.",
                    "properties": {
                      "log": {"$ref": "#/components/schemas/LogRecord"},
                      "position": {"type": "string"},
                      "gap": {"type": "string"},
                      "error": {
                        "type": "object",
                        "properties": {"message": {"type": "string"}, "parameter": {"type": "string"}},
                        "required": ["message"],
                        "additionalProperties": false
                      }
                    },
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": false
                  }
            """#)
}

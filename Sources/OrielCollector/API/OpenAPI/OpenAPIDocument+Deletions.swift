extension OpenAPIDocument {
    /// What is removed for good.
    static let deletions = Part(
        paths: #"""
                "/admin/v1/deletions": {
                  "get": {
                    "summary": "Deletions",
                    "description": "Those that are under way and the last that are complete, oldest first.",
                    "responses": {
                      "200": {
                        "description": "The answer.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DeletionList"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  },
                  "post": {
                    "summary": "Delete rows",
                    "description": "Gone from all answers when this one comes, and soon from the disk. What comes in later stays.",
                    "requestBody": {
                      "required": true,
                      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DeletionOrder"}}}
                    },
                    "responses": {
                      "200": {
                        "description": "What would be deleted, of a dry run.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DeletionPlanList"}}}
                      },
                      "201": {
                        "description": "What was deleted, one for each kind.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DeletionList"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "422": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "501": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                },
                "/admin/v1/deletions/{id}": {
                  "get": {
                    "summary": "A deletion",
                    "description": "How far it has come.",
                    "parameters": [
                      {
                        "name": "id",
                        "in": "path",
                        "required": true,
                        "description": "As the deletion was answered with.",
                        "schema": {"type": "string"},
                        "example": "1-42"
                      }
                    ],
                    "responses": {
                      "200": {
                        "description": "The answer.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Deletion"}}}
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
                  "DeletionList": {
                    "type": "object",
                    "properties": {"deletions": {"type": "array", "items": {"$ref": "#/components/schemas/Deletion"}}},
                    "required": ["deletions"],
                    "additionalProperties": false
                  },
                  "Deletion": {
                    "type": "object",
                    "properties": {
                      "id": {"type": "string"},
                      "signals": {"type": "array", "items": {"type": "string", "enum": ["logs", "spans", "samples", "histograms", "exemplars"]}},
                      "start": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
                      "start_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]},
                      "end": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
                      "end_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]},
                      "filter": {"type": "string", "description": "The conditions in words; \"every row\" without any."},
                      "requested": {"$ref": "#/components/schemas/Time"},
                      "requested_unix_nano": {"$ref": "#/components/schemas/Int64"},
                      "completed": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}], "description": "When the last of its rows was gone from the disk."},
                      "completed_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]},
                      "remaining_files": {"type": "integer"},
                      "remaining_bytes": {"type": "integer"}
                    },
                    "required": [
                      "id",
                      "signals",
                      "start",
                      "start_unix_nano",
                      "end",
                      "end_unix_nano",
                      "filter",
                      "requested",
                      "requested_unix_nano",
                      "completed",
                      "completed_unix_nano",
                      "remaining_files",
                      "remaining_bytes"
                    ],
                    "additionalProperties": false
                  },
                  "DeletionPlanList": {
                    "type": "object",
                    "properties": {"plan": {"type": "array", "items": {"$ref": "#/components/schemas/DeletionPlan"}}},
                    "required": ["plan"],
                    "additionalProperties": false
                  },
                  "DeletionPlan": {
                    "type": "object",
                    "properties": {
                      "signals": {"type": "array", "items": {"type": "string", "enum": ["logs", "spans", "samples", "histograms", "exemplars"]}},
                      "start": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
                      "start_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]},
                      "end": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
                      "end_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]},
                      "filter": {"type": "string", "description": "The conditions in words; \"every row\" without any."},
                      "rows": {"type": "integer"}
                    },
                    "required": ["signals", "start", "start_unix_nano", "end", "end_unix_nano", "filter", "rows"],
                    "additionalProperties": false
                  },
                  "DeletionOrder": {
                    "type": "object",
                    "description": "A start, an end or a trace_id is needed.",
                    "properties": {
                      "signal": {"type": ["string", "array"], "items": {"type": "string"}, "description": "logs, spans, metrics or several of them."},
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
                      "severity": {"type": ["string", "integer"], "description": "Of logs: at least this severity."},
                      "text": {"type": "string", "description": "Text in the body of a log record, in the name or status message of a span, in any case of letters."},
                      "words": {"type": ["string", "array"], "items": {"type": "string"}, "description": "Of logs: text in the body as whole words."},
                      "trace_id": {"type": "string", "description": "Of logs and spans."},
                      "attribute": {"type": ["string", "array"], "items": {"type": "string"}, "description": "Of logs and spans: conditions on attributes, as in queries."},
                      "name": {"type": "string", "description": "Of spans their name, of metrics that of the metric."},
                      "status": {"type": "string", "description": "Of spans: error, ok or unset."},
                      "label": {"type": ["string", "array"], "items": {"type": "string"}, "description": "Of metrics: label=value, label!=value, or a label alone."},
                      "dry_run": {"type": "boolean", "description": "Count the rows and delete none."}
                    },
                    "required": ["signal"],
                    "additionalProperties": false
                  }
            """#)
}

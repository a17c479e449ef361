extension OpenAPIDocument {
    /// Traces and their spans.
    static let traces = Part(
        paths: #"""
                "/v1/traces": {
                  "get": {
                    "summary": "Traces, newest first",
                    "description": "One line per trace with a span in the range. A trace passes when one of its spans passes all conditions on spans; durations are the trace's.",
                    "parameters": [
                      {"$ref": "#/components/parameters/start"},
                      {"$ref": "#/components/parameters/end"},
                      {"$ref": "#/components/parameters/since"},
                      {"$ref": "#/components/parameters/service"},
                      {
                        "name": "name",
                        "in": "query",
                        "description": "Name of a span.",
                        "schema": {"type": "string"},
                        "example": "GET /cart"
                      },
                      {
                        "name": "status",
                        "in": "query",
                        "description": "Status of a span.",
                        "schema": {"type": "string", "enum": ["unset", "ok", "error"]},
                        "example": "error"
                      },
                      {
                        "name": "min_duration",
                        "in": "query",
                        "description": "The trace lasts at least so long, such as 250ms or 1h30m.",
                        "schema": {"type": "string"},
                        "example": "250ms"
                      },
                      {
                        "name": "max_duration",
                        "in": "query",
                        "description": "The trace lasts at most so long, such as 250ms or 1h30m.",
                        "schema": {"type": "string"},
                        "example": "1h"
                      },
                      {"$ref": "#/components/parameters/text"},
                      {"$ref": "#/components/parameters/attribute"},
                      {"$ref": "#/components/parameters/trace_id"},
                      {"$ref": "#/components/parameters/limit"},
                      {"$ref": "#/components/parameters/cursor"}
                    ],
                    "responses": {
                      "200": {
                        "description": "The answer.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TraceList"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                },
                "/v1/traces/{id}": {
                  "get": {
                    "summary": "A trace",
                    "description": "All spans in the order of their start, and all log records with the trace's id (on the first page). The default limit here is 10000.",
                    "parameters": [
                      {
                        "name": "id",
                        "in": "path",
                        "required": true,
                        "description": "32 hexadecimal digits.",
                        "schema": {"$ref": "#/components/schemas/TraceID"},
                        "example": "0af7651916cd43dd8448eb211c80319c"
                      },
                      {"$ref": "#/components/parameters/limit"},
                      {"$ref": "#/components/parameters/cursor"}
                    ],
                    "responses": {
                      "200": {"description": "The answer.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Trace"}}}},
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"},
                      "404": {"$ref": "#/components/responses/Error"}
                    }
                  }
                }
            """#,
        schemas: #"""
                  "TraceList": {
                    "type": "object",
                    "properties": {
                      "traces": {"type": "array", "items": {"$ref": "#/components/schemas/TraceSummary"}},
                      "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last one."}
                    },
                    "required": ["traces", "next"],
                    "additionalProperties": false
                  },
                  "TraceSummary": {
                    "type": "object",
                    "properties": {
                      "trace_id": {"$ref": "#/components/schemas/TraceID"},
                      "root_service": {"type": "string"},
                      "root_name": {"type": "string"},
                      "start_time": {"$ref": "#/components/schemas/Time"},
                      "start_time_unix_nano": {"$ref": "#/components/schemas/Int64"},
                      "end_time": {"$ref": "#/components/schemas/Time"},
                      "end_time_unix_nano": {"$ref": "#/components/schemas/Int64"},
                      "duration_nano": {"$ref": "#/components/schemas/Int64"},
                      "span_count": {"type": "integer"},
                      "error_count": {"type": "integer"},
                      "services": {"type": "array", "items": {"type": "string"}}
                    },
                    "required": [
                      "trace_id",
                      "root_service",
                      "root_name",
                      "start_time",
                      "start_time_unix_nano",
                      "end_time",
                      "end_time_unix_nano",
                      "duration_nano",
                      "span_count",
                      "error_count",
                      "services"
                    ],
                    "additionalProperties": false
                  },
                  "Trace": {
                    "type": "object",
                    "properties": {
                      "trace_id": {"$ref": "#/components/schemas/TraceID"},
                      "span_count": {"type": "integer"},
                      "spans": {"type": "array", "items": {"$ref": "#/components/schemas/Span"}},
                      "logs": {"type": "array", "items": {"$ref": "#/components/schemas/LogRecord"}},
                      "logs_complete": {"type": "boolean", "description": "Whether all log records of the trace found room; if not, ask for logs?trace_id=."},
                      "next": {"type": ["string", "null"], "description": "The cursor of the next page of spans."}
                    },
                    "required": ["trace_id", "span_count", "spans", "logs", "logs_complete", "next"],
                    "additionalProperties": false
                  },
                  "Span": {
                    "type": "object",
                    "properties": {
                      "trace_id": {"anyOf": [{"$ref": "#/components/schemas/TraceID"}, {"type": "null"}]},
                      "span_id": {"anyOf": [{"$ref": "#/components/schemas/SpanID"}, {"type": "null"}]},
                      "parent_span_id": {"anyOf": [{"$ref": "#/components/schemas/SpanID"}, {"type": "null"}]},
                      "trace_state": {"type": "string"},
                      "service": {"type": "string"},
                      "name": {"type": "string"},
                      "kind": {"type": "string", "description": "unspecified, internal, server, client, producer or consumer."},
                      "start_time": {"$ref": "#/components/schemas/Time"},
                      "start_time_unix_nano": {"$ref": "#/components/schemas/Int64"},
                      "end_time": {"$ref": "#/components/schemas/Time"},
                      "end_time_unix_nano": {"$ref": "#/components/schemas/Int64"},
                      "duration_nano": {"$ref": "#/components/schemas/Int64"},
                      "status": {
                        "type": "object",
                        "properties": {"code": {"type": "string", "description": "unset, ok or error."}, "message": {"type": "string"}},
                        "required": ["code", "message"],
                        "additionalProperties": false
                      },
                      "flags": {"type": "integer"},
                      "attributes": {"type": "array", "items": {"$ref": "#/components/schemas/Attribute"}},
                      "dropped_attributes_count": {"type": "integer"},
                      "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
                      "dropped_events_count": {"type": "integer"},
                      "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
                      "dropped_links_count": {"type": "integer"},
                      "resource": {"$ref": "#/components/schemas/Resource"},
                      "scope": {"$ref": "#/components/schemas/Scope"}
                    },
                    "required": [
                      "trace_id",
                      "span_id",
                      "parent_span_id",
                      "trace_state",
                      "service",
                      "name",
                      "kind",
                      "start_time",
                      "start_time_unix_nano",
                      "end_time",
                      "end_time_unix_nano",
                      "duration_nano",
                      "status",
                      "flags",
                      "attributes",
                      "dropped_attributes_count",
                      "events",
                      "dropped_events_count",
                      "links",
                      "dropped_links_count",
                      "resource",
                      "scope"
                    ],
                    "additionalProperties": false
                  },
                  "Event": {
                    "type": "object",
                    "properties": {
                      "time": {"$ref": "#/components/schemas/Time"},
                      "time_unix_nano": {"$ref": "#/components/schemas/Int64"},
                      "name": {"type": "string"},
                      "attributes": {"type": "array", "items": {"$ref": "#/components/schemas/Attribute"}},
                      "dropped_attributes_count": {"type": "integer"}
                    },
                    "required": ["time", "time_unix_nano", "name", "attributes", "dropped_attributes_count"],
                    "additionalProperties": false
                  },
                  "Link": {
                    "type": "object",
                    "properties": {
                      "trace_id": {"type": "string"},
                      "span_id": {"type": "string"},
                      "trace_state": {"type": "string"},
                      "flags": {"type": "integer"},
                      "attributes": {"type": "array", "items": {"$ref": "#/components/schemas/Attribute"}},
                      "dropped_attributes_count": {"type": "integer"}
                    },
                    "required": ["trace_id", "span_id", "trace_state", "flags", "attributes", "dropped_attributes_count"],
                    "additionalProperties": false
                  }
            """#)
}

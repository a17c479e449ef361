/// The description of the API in OpenAPI 3.1. A test compares it with what the server does.
enum OpenAPIDocument {
    static let text = #"""
        {
          "openapi": "3.1.0",
          "info": {
            "title": "Oriel",
            "version": "1",
            "description": "Traces, log records and metric series. GET only. Times are RFC 3339 in UTC and unix nanoseconds as text. Unknown parameters are refused. Pages go on with cursor as long as next is not null.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
          },
          "servers": [{"url": "/api/oriel/v1"}],
          "security": [{}, {"token": []}],
          "paths": {
            "/traces": {
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
            "/traces/{id}": {
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
            },
            "/logs": {
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
            },
            "/series": {
              "get": {
                "summary": "Metric series",
                "description": "Series with a sample in the range, sorted by name and labels, with their latest value.",
                "parameters": [
                  {"$ref": "#/components/parameters/start"},
                  {"$ref": "#/components/parameters/end"},
                  {"$ref": "#/components/parameters/since"},
                  {
                    "name": "name",
                    "in": "query",
                    "description": "Name of the metric; of a histogram or summary all parts.",
                    "schema": {"type": "string"},
                    "example": "http_requests_total"
                  },
                  {
                    "name": "label",
                    "in": "query",
                    "description": "label=value, label!=value, or a label alone. All must hold.",
                    "schema": {"type": "array", "items": {"type": "string"}},
                    "explode": true,
                    "example": "method=GET"
                  },
                  {
                    "name": "points",
                    "in": "query",
                    "description": "Samples to include: all (at most 10000 a series), or the last one in each of so many equal parts of the range (1 to 1000).",
                    "schema": {"type": "string"},
                    "example": "60"
                  },
                  {
                    "name": "exemplars",
                    "in": "query",
                    "description": "Include exemplars.",
                    "schema": {"type": "boolean", "default": false},
                    "example": true
                  },
                  {"$ref": "#/components/parameters/limit"},
                  {"$ref": "#/components/parameters/cursor"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SeriesList"}}}
                  },
                  "400": {"$ref": "#/components/responses/Error"},
                  "401": {"$ref": "#/components/responses/Unauthenticated"},
                  "403": {"$ref": "#/components/responses/Error"},
                  "429": {"$ref": "#/components/responses/Error"},
                  "503": {"$ref": "#/components/responses/Error"},
                  "422": {"$ref": "#/components/responses/Error"}
                }
              }
            },
            "/metrics": {
              "get": {
                "summary": "Metrics",
                "description": "The metrics that have series in the range, by name, with type, unit and help text.",
                "parameters": [
                  {"$ref": "#/components/parameters/start"},
                  {"$ref": "#/components/parameters/end"},
                  {"$ref": "#/components/parameters/since"},
                  {
                    "name": "name",
                    "in": "query",
                    "description": "Name of the metric; * stands for any text.",
                    "schema": {"type": "string"},
                    "example": "http_*"
                  },
                  {"$ref": "#/components/parameters/text"},
                  {"$ref": "#/components/parameters/limit"},
                  {"$ref": "#/components/parameters/cursor"}
                ],
                "responses": {
                  "200": {
                    "description": "The answer.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/MetricList"}}}
                  },
                  "400": {"$ref": "#/components/responses/Error"},
                  "401": {"$ref": "#/components/responses/Unauthenticated"},
                  "403": {"$ref": "#/components/responses/Error"},
                  "429": {"$ref": "#/components/responses/Error"},
                  "503": {"$ref": "#/components/responses/Error"}
                }
              }
            },
            "/services": {
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
            "/openapi.json": {
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
          },
          "components": {
            "securitySchemes": {
              "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Asked for as soon as the server has tokens, except on its unix socket. The token needs scope query; with a tenant it reads that tenant's telemetry only. 403: it lacks the scope. 429: one of its limits is reached; Retry-After says when to come back."
              }
            },
            "parameters": {
              "start": {
                "name": "start",
                "in": "query",
                "description": "First moment, inclusive: RFC 3339, unix seconds/milliseconds/nanoseconds, a duration before now (1h), or a day such as \"yesterday 14:00\" (UTC). Default: one hour before now.",
                "schema": {"type": "string"},
                "example": "2026-11-24T14:00:00Z"
              },
              "end": {
                "name": "end",
                "in": "query",
                "description": "Last moment, exclusive; the same forms. Default: none, so that rows of clocks that are ahead are shown.",
                "schema": {"type": "string"},
                "example": "now"
              },
              "since": {"name": "since", "in": "query", "description": "Another name for start.", "schema": {"type": "string"}, "example": "1h"},
              "service": {
                "name": "service",
                "in": "query",
                "description": "Value of the resource attribute service.name.",
                "schema": {"type": "string"},
                "example": "checkout"
              },
              "attribute": {
                "name": "attribute",
                "in": "query",
                "description": "key=value, !=, >, >=, <, <=, or a key alone (it is there). All must hold. Looks at the row's attributes, then the scope's, then the resource's. A value that reads as a number or boolean equals that and the same text; in double quotes it is text only.",
                "schema": {"type": "array", "items": {"type": "string"}},
                "explode": true,
                "example": "http.response.status_code>=500"
              },
              "text": {
                "name": "text",
                "in": "query",
                "description": "Text that must occur, in any case of letters.",
                "schema": {"type": "string"},
                "example": "timeout"
              },
              "words": {
                "name": "words",
                "in": "query",
                "description": "Text that must occur as whole words, next to each other, in any case of letters. All must hold. Rare words are found without reading all texts.",
                "schema": {"type": "array", "items": {"type": "string"}},
                "explode": true,
                "example": "order-8127"
              },
              "trace_id": {
                "name": "trace_id",
                "in": "query",
                "description": "32 hexadecimal digits.",
                "schema": {"type": "string"},
                "example": "0af7651916cd43dd8448eb211c80319c"
              },
              "limit": {
                "name": "limit",
                "in": "query",
                "description": "Most rows of a page. A page ends early at 16 MiB.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 100},
                "example": 5
              },
              "cursor": {
                "name": "cursor",
                "in": "query",
                "description": "The value of next of the page before; all other parameters must be repeated unchanged.",
                "schema": {"type": "string"}
              }
            },
            "schemas": {
              "Time": {
                "type": "string",
                "format": "date-time",
                "description": "RFC 3339 in UTC with nine digits of nanoseconds.",
                "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}Z$"
              },
              "Int64": {
                "type": "string",
                "description": "A 64-bit integer in decimal digits, as text since not every reader's numbers hold it.",
                "pattern": "^-?[0-9]+$"
              },
              "TraceID": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
              "SpanID": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
              "Double": {"type": ["number", "string"], "description": "A number; \"NaN\", \"Infinity\" and \"-Infinity\" as text."},
              "Value": {
                "type": "object",
                "description": "A typed value as in OTLP/JSON: one member, or none for a value without content. Integers are text, bytes are base64.",
                "properties": {
                  "stringValue": {"type": "string"},
                  "boolValue": {"type": "boolean"},
                  "intValue": {"$ref": "#/components/schemas/Int64"},
                  "doubleValue": {"$ref": "#/components/schemas/Double"},
                  "bytesValue": {"type": "string"},
                  "arrayValue": {
                    "type": "object",
                    "properties": {"values": {"type": "array", "items": {"$ref": "#/components/schemas/Value"}}},
                    "required": ["values"],
                    "additionalProperties": false
                  },
                  "kvlistValue": {
                    "type": "object",
                    "properties": {"values": {"type": "array", "items": {"$ref": "#/components/schemas/Attribute"}}},
                    "required": ["values"],
                    "additionalProperties": false
                  }
                },
                "additionalProperties": false,
                "maxProperties": 1
              },
              "Attribute": {
                "type": "object",
                "properties": {"key": {"type": "string"}, "value": {"$ref": "#/components/schemas/Value"}},
                "required": ["key", "value"],
                "additionalProperties": false
              },
              "Resource": {
                "type": "object",
                "properties": {
                  "attributes": {"type": "array", "items": {"$ref": "#/components/schemas/Attribute"}},
                  "dropped_attributes_count": {"type": "integer"},
                  "entity_refs": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "properties": {
                        "type": {"type": "string"},
                        "id_keys": {"type": "array", "items": {"type": "string"}},
                        "description_keys": {"type": "array", "items": {"type": "string"}},
                        "schema_url": {"type": "string"}
                      },
                      "required": ["type", "id_keys", "description_keys", "schema_url"],
                      "additionalProperties": false
                    }
                  },
                  "schema_url": {"type": "string"}
                },
                "required": ["attributes", "dropped_attributes_count", "entity_refs", "schema_url"],
                "additionalProperties": false
              },
              "Scope": {
                "type": "object",
                "properties": {
                  "name": {"type": "string"},
                  "version": {"type": "string"},
                  "attributes": {"type": "array", "items": {"$ref": "#/components/schemas/Attribute"}},
                  "dropped_attributes_count": {"type": "integer"},
                  "schema_url": {"type": "string"}
                },
                "required": ["name", "version", "attributes", "dropped_attributes_count", "schema_url"],
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
              "Histogram": {
                "type": "object",
                "properties": {
                  "schema": {"type": "integer"},
                  "count": {"$ref": "#/components/schemas/Double"},
                  "sum": {"$ref": "#/components/schemas/Double"},
                  "zero_threshold": {"$ref": "#/components/schemas/Double"},
                  "zero_count": {"$ref": "#/components/schemas/Double"},
                  "positive_spans": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "properties": {"offset": {"type": "integer"}, "length": {"type": "integer"}},
                      "required": ["offset", "length"],
                      "additionalProperties": false
                    }
                  },
                  "positive_buckets": {"type": "array", "items": {"$ref": "#/components/schemas/Double"}},
                  "negative_spans": {
                    "type": "array",
                    "items": {
                      "type": "object",
                      "properties": {"offset": {"type": "integer"}, "length": {"type": "integer"}},
                      "required": ["offset", "length"],
                      "additionalProperties": false
                    }
                  },
                  "negative_buckets": {"type": "array", "items": {"$ref": "#/components/schemas/Double"}},
                  "custom_bounds": {"type": "array", "items": {"$ref": "#/components/schemas/Double"}},
                  "is_float": {"type": "boolean"}
                },
                "required": [
                  "schema",
                  "count",
                  "sum",
                  "zero_threshold",
                  "zero_count",
                  "positive_spans",
                  "positive_buckets",
                  "negative_spans",
                  "negative_buckets",
                  "custom_bounds",
                  "is_float"
                ],
                "additionalProperties": false,
                "description": "A Prometheus native histogram; bucket counts are absolute."
              },
              "Point": {
                "type": "object",
                "properties": {
                  "time": {"$ref": "#/components/schemas/Time"},
                  "time_unix_nano": {"$ref": "#/components/schemas/Int64"},
                  "value": {"$ref": "#/components/schemas/Double"},
                  "histogram": {"$ref": "#/components/schemas/Histogram"},
                  "stale": {"const": true, "description": "The series ended here; there is no value."}
                },
                "required": ["time", "time_unix_nano"],
                "additionalProperties": false
              },
              "Exemplar": {
                "type": "object",
                "properties": {
                  "time": {"$ref": "#/components/schemas/Time"},
                  "time_unix_nano": {"$ref": "#/components/schemas/Int64"},
                  "value": {"$ref": "#/components/schemas/Double"},
                  "trace_id": {"anyOf": [{"$ref": "#/components/schemas/TraceID"}, {"type": "null"}]},
                  "span_id": {"anyOf": [{"$ref": "#/components/schemas/SpanID"}, {"type": "null"}]},
                  "attributes": {"type": "array", "items": {"$ref": "#/components/schemas/Attribute"}}
                },
                "required": ["time", "time_unix_nano", "value", "trace_id", "span_id", "attributes"],
                "additionalProperties": false
              },
              "Series": {
                "type": "object",
                "properties": {
                  "name": {"type": "string"},
                  "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                  "type": {"type": "string"},
                  "unit": {"type": "string"},
                  "last": {
                    "anyOf": [{"$ref": "#/components/schemas/Point"}, {"type": "null"}],
                    "description": "The latest sample of the range."
                  },
                  "stale": {"type": "boolean", "description": "The series ended after last."},
                  "points": {"type": "array", "items": {"$ref": "#/components/schemas/Point"}},
                  "points_complete": {"type": "boolean"},
                  "exemplars": {"type": "array", "items": {"$ref": "#/components/schemas/Exemplar"}}
                },
                "required": ["name", "labels", "type", "unit", "last", "stale"],
                "additionalProperties": false
              },
              "Metric": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "type": {"type": "string"}, "unit": {"type": "string"}, "help": {"type": "string"}},
                "required": ["name", "type", "unit", "help"],
                "additionalProperties": false
              },
              "Error": {
                "type": "object",
                "properties": {
                  "error": {
                    "type": "object",
                    "properties": {"message": {"type": "string"}, "parameter": {"type": "string", "description": "The parameter at fault."}},
                    "required": ["message"],
                    "additionalProperties": false
                  }
                },
                "required": ["error"],
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
              },
              "TraceList": {
                "type": "object",
                "properties": {
                  "traces": {"type": "array", "items": {"$ref": "#/components/schemas/TraceSummary"}},
                  "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last one."}
                },
                "required": ["traces", "next"],
                "additionalProperties": false
              },
              "LogList": {
                "type": "object",
                "properties": {
                  "logs": {"type": "array", "items": {"$ref": "#/components/schemas/LogRecord"}},
                  "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last one."}
                },
                "required": ["logs", "next"],
                "additionalProperties": false
              },
              "SeriesList": {
                "type": "object",
                "properties": {
                  "series": {"type": "array", "items": {"$ref": "#/components/schemas/Series"}},
                  "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last one."}
                },
                "required": ["series", "next"],
                "additionalProperties": false
              },
              "MetricList": {
                "type": "object",
                "properties": {
                  "metrics": {"type": "array", "items": {"$ref": "#/components/schemas/Metric"}},
                  "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last one."}
                },
                "required": ["metrics", "next"],
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
            },
            "responses": {
              "Unauthenticated": {
                "description": "A token is asked for, or the one that was sent is not known (any more).",
                "headers": {"WWW-Authenticate": {"schema": {"type": "string"}, "example": "Bearer realm=\"oriel\""}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              },
              "Error": {
                "description": "What was wrong, and what would be right.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              }
            }
          }
        }
        """#
}

extension OpenAPIDocument {
    /// Metrics and their series.
    static let metrics = Part(
        paths: #"""
                "/v1/series": {
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
                      {
                        "name": "limit",
                        "in": "query",
                        "description": "Most series of a page. A page ends early at 16 MiB, and where it might have more than 250000 points.",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 100},
                        "example": 5
                      },
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
                "/v1/metrics": {
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
                }
            """#,
        schemas: #"""
                  "SeriesList": {
                    "type": "object",
                    "properties": {
                      "series": {"type": "array", "items": {"$ref": "#/components/schemas/Series"}},
                      "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last one."}
                    },
                    "required": ["series", "next"],
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
                  "MetricList": {
                    "type": "object",
                    "properties": {
                      "metrics": {"type": "array", "items": {"$ref": "#/components/schemas/Metric"}},
                      "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last one."}
                    },
                    "required": ["metrics", "next"],
                    "additionalProperties": false
                  },
                  "Metric": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "type": {"type": "string"}, "unit": {"type": "string"}, "help": {"type": "string"}},
                    "required": ["name", "type", "unit", "help"],
                    "additionalProperties": false
                  }
            """#)
}

extension OpenAPIDocument {
    /// The query parameters that several paths take.
    static let parameters = #"""
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
        """#

    /// What values are made of, and errors.
    static let commonSchemas = #"""
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
              }
        """#

    /// The answers that are no success.
    static let responses = #"""
              "Unauthenticated": {
                "description": "A token is asked for, or the one that was sent is not known (any more).",
                "headers": {"WWW-Authenticate": {"schema": {"type": "string"}, "example": "Bearer realm=\"oriel\""}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              },
              "Error": {
                "description": "What was wrong, and what would be right.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
              }
        """#
}

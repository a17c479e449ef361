extension OpenAPIDocument {
    /// The store as a whole.
    static let store = Part(
        paths: #"""
                "/admin/v1/backup": {
                  "post": {
                    "summary": "Copy the store",
                    "description": "Into a folder of the server, while it goes on. Lines come as work does, and {} every ten seconds; the last one has the result or an error.",
                    "requestBody": {
                      "required": true,
                      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BackupOrder"}}}
                    },
                    "responses": {
                      "200": {
                        "description": "Lines of JSON.",
                        "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/BackupLine"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                },
                "/admin/v1/doctor": {
                  "post": {
                    "summary": "Examine the store",
                    "description": "Whether it is sound, and what takes its room. Lines as of a backup.",
                    "requestBody": {
                      "required": false,
                      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ExaminationOrder"}}}
                    },
                    "responses": {
                      "200": {
                        "description": "Lines of JSON.",
                        "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/ExaminationLine"}}}
                      },
                      "400": {"$ref": "#/components/responses/Error"},
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                },
                "/admin/v1/salvage": {
                  "post": {
                    "summary": "Write damaged files anew",
                    "description": "From what is readable of them; the damaged ones are kept aside. Lines as of a backup.",
                    "responses": {
                      "200": {
                        "description": "Lines of JSON.",
                        "content": {"application/x-ndjson": {"schema": {"$ref": "#/components/schemas/SalvageLine"}}}
                      },
                      "401": {"$ref": "#/components/responses/Unauthenticated"},
                      "403": {"$ref": "#/components/responses/Error"},
                      "429": {"$ref": "#/components/responses/Error"},
                      "503": {"$ref": "#/components/responses/Error"}
                    }
                  }
                }
            """#,
        schemas: #"""
                  "BackupOrder": {
                    "type": "object",
                    "properties": {"path": {"type": "string", "description": "Absolute, on the server."}},
                    "required": ["path"],
                    "additionalProperties": false
                  },
                  "BackupLine": {
                    "type": "object",
                    "properties": {
                      "progress": {
                        "type": "object",
                        "properties": {"files": {"type": "integer"}, "bytes": {"type": "integer"}, "total_files": {"type": "integer"}, "total_bytes": {"type": "integer"}},
                        "required": ["files", "bytes", "total_files", "total_bytes"],
                        "additionalProperties": false
                      },
                      "result": {"$ref": "#/components/schemas/BackupReport"},
                      "error": {
                        "type": "object",
                        "properties": {"message": {"type": "string"}, "parameter": {"type": "string"}},
                        "required": ["message"],
                        "additionalProperties": false
                      }
                    },
                    "additionalProperties": false,
                    "maxProperties": 1
                  },
                  "BackupReport": {
                    "type": "object",
                    "properties": {
                      "path": {"type": "string"},
                      "taken": {"$ref": "#/components/schemas/Time"},
                      "taken_unix_nano": {"$ref": "#/components/schemas/Int64"},
                      "files": {"type": "integer"},
                      "bytes": {"type": "integer"},
                      "copied_files": {"type": "integer"},
                      "copied_bytes": {"type": "integer"},
                      "linked_files": {"type": "integer"},
                      "linked_bytes": {"type": "integer"},
                      "damaged_files": {"type": "array", "items": {"type": "string"}},
                      "warnings": {"type": "array", "items": {"type": "string"}}
                    },
                    "required": [
                      "path",
                      "taken",
                      "taken_unix_nano",
                      "files",
                      "bytes",
                      "copied_files",
                      "copied_bytes",
                      "linked_files",
                      "linked_bytes",
                      "damaged_files",
                      "warnings"
                    ],
                    "additionalProperties": false
                  },
                  "SalvageLine": {
                    "type": "object",
                    "properties": {
                      "result": {"$ref": "#/components/schemas/SalvageReport"},
                      "error": {
                        "type": "object",
                        "properties": {"message": {"type": "string"}},
                        "required": ["message"],
                        "additionalProperties": false
                      }
                    },
                    "additionalProperties": false,
                    "maxProperties": 1
                  },
                  "SalvageReport": {
                    "type": "object",
                    "properties": {
                      "folder": {"type": "string"},
                      "checked_files": {"type": "integer"},
                      "checked_bytes": {"type": "integer"},
                      "files": {"type": "array", "items": {"$ref": "#/components/schemas/SalvageReceipt"}},
                      "failures": {
                        "type": "array",
                        "description": "Damaged files that stay as they are.",
                        "items": {
                          "type": "object",
                          "properties": {"place": {"type": "string"}, "reason": {"type": "string"}},
                          "required": ["place", "reason"],
                          "additionalProperties": false
                        }
                      }
                    },
                    "required": ["folder", "checked_files", "checked_bytes", "files", "failures"],
                    "additionalProperties": false
                  },
                  "SalvageReceipt": {
                    "type": "object",
                    "properties": {
                      "signal": {"type": "string"},
                      "file": {"type": "string"},
                      "replacement": {"type": "string"},
                      "kept": {"type": "string", "description": "Where the damaged file is kept. Neither retention nor deletions reach it there."},
                      "saved_rows": {"type": "integer"},
                      "incomplete_rows": {"type": "integer", "description": "Of the saved ones, those that lack values."},
                      "lost_rows": {"type": "integer"},
                      "losses": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {
                            "column": {"type": ["string", "null"], "description": "Whose values are lost; null when the rows themselves are."},
                            "rows": {"type": "integer"},
                            "start": {"$ref": "#/components/schemas/Time"},
                            "start_unix_nano": {"$ref": "#/components/schemas/Int64"},
                            "end": {"$ref": "#/components/schemas/Time"},
                            "end_unix_nano": {"$ref": "#/components/schemas/Int64"},
                            "reason": {"type": "string"}
                          },
                          "required": ["column", "rows", "start", "start_unix_nano", "end", "end_unix_nano", "reason"],
                          "additionalProperties": false
                        }
                      },
                      "remade": {"type": "array", "description": "What was made anew, so that nothing is lost of it.", "items": {"type": "string"}}
                    },
                    "required": [
                      "signal",
                      "file",
                      "replacement",
                      "kept",
                      "saved_rows",
                      "incomplete_rows",
                      "lost_rows",
                      "losses",
                      "remade"
                    ],
                    "additionalProperties": false
                  },
                  "ExaminationOrder": {
                    "type": "object",
                    "properties": {"reads": {"type": "boolean", "default": true, "description": "Whether all files are read whole."}},
                    "additionalProperties": false
                  },
                  "ExaminationLine": {
                    "type": "object",
                    "properties": {
                      "result": {"$ref": "#/components/schemas/Examination"},
                      "error": {
                        "type": "object",
                        "properties": {"message": {"type": "string"}, "parameter": {"type": "string"}},
                        "required": ["message"],
                        "additionalProperties": false
                      }
                    },
                    "additionalProperties": false,
                    "maxProperties": 1
                  },
                  "Examination": {
                    "type": "object",
                    "properties": {
                      "healthy": {"type": "boolean"},
                      "folder": {"type": "string"},
                      "free_bytes": {"type": ["integer", "null"]},
                      "checked_files": {"type": "integer"},
                      "checked_bytes": {"type": "integer"},
                      "problems": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {"place": {"type": "string"}, "reason": {"type": "string"}},
                          "required": ["place", "reason"],
                          "additionalProperties": false
                        }
                      },
                      "signals": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {
                            "signal": {"type": "string"},
                            "rows": {"type": "integer"},
                            "unflushed_rows": {"type": "integer"},
                            "files": {"type": "integer"},
                            "bytes": {"type": "integer"},
                            "conflicting_rows": {"type": "integer"}
                          },
                          "required": ["signal", "rows", "unflushed_rows", "files", "bytes", "conflicting_rows"],
                          "additionalProperties": false
                        }
                      },
                      "disk": {"anyOf": [{"$ref": "#/components/schemas/DiskUse"}, {"type": "null"}]},
                      "pinned_bytes": {"type": "integer", "description": "Of the copies that pins keep."},
                      "services": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {"signal": {"type": "string"}, "name": {"type": "string"}, "bytes": {"type": "integer"}, "rows": {"type": "integer"}},
                          "required": ["signal", "name", "bytes", "rows"],
                          "additionalProperties": false
                        }
                      },
                      "columns": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {"signal": {"type": "string"}, "name": {"type": "string"}, "bytes": {"type": "integer"}, "rows": {"type": "integer"}},
                          "required": ["signal", "name", "bytes", "rows"],
                          "additionalProperties": false
                        }
                      },
                      "metrics": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
                          "required": ["name", "count"],
                          "additionalProperties": false
                        }
                      },
                      "labels": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
                          "required": ["name", "count"],
                          "additionalProperties": false
                        }
                      },
                      "unknown_files": {
                        "type": "array",
                        "items": {
                          "type": "object",
                          "properties": {"name": {"type": "string"}, "bytes": {"type": "integer"}},
                          "required": ["name", "bytes"],
                          "additionalProperties": false
                        }
                      },
                      "recovery": {
                        "type": "object",
                        "properties": {
                          "rebuilt": {"type": "boolean"},
                          "reason": {"type": ["string", "null"]},
                          "losses": {"type": "array", "items": {"type": "string"}},
                          "files_put_aside": {"type": "array", "items": {"type": "string"}}
                        },
                        "required": ["rebuilt", "reason", "losses", "files_put_aside"],
                        "additionalProperties": false
                      },
                      "scrubbed_bytes": {"type": "integer"},
                      "last_scrub": {"anyOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
                      "last_scrub_unix_nano": {"anyOf": [{"$ref": "#/components/schemas/Int64"}, {"type": "null"}]}
                    },
                    "required": [
                      "healthy",
                      "folder",
                      "free_bytes",
                      "checked_files",
                      "checked_bytes",
                      "problems",
                      "signals",
                      "disk",
                      "pinned_bytes",
                      "services",
                      "columns",
                      "metrics",
                      "labels",
                      "unknown_files",
                      "recovery",
                      "scrubbed_bytes",
                      "last_scrub",
                      "last_scrub_unix_nano"
                    ],
                    "additionalProperties": false
                  },
                  "DiskUse": {
                    "type": "object",
                    "properties": {
                      "budget_bytes": {"type": ["integer", "null"]},
                      "used_bytes": {"type": "integer"},
                      "free_bytes": {"type": ["integer", "null"]},
                      "full": {"type": "boolean"},
                      "bytes_per_day": {"type": "object", "additionalProperties": {"type": "number"}},
                      "dropped_bytes": {"type": "object", "additionalProperties": {"type": "number"}},
                      "seconds_until_full": {"type": ["number", "null"]}
                    },
                    "required": ["budget_bytes", "used_bytes", "free_bytes", "full", "bytes_per_day", "dropped_bytes", "seconds_until_full"],
                    "additionalProperties": false
                  }
            """#)
}

// Replaced by the exporter.

// A file that imports Oriel alone may use all members of what this module hands out, also where the upcoming feature MemberImportVisibility is on, which asks for an import of the module that
// declares a member: the re-export of one declaration counts as such an import of its module. Whole modules are not re-exported: their `Counter` and `Gauge` would make those of
// swift-metrics ambiguous in every file that imports both.
@_exported public import struct OrielClient.DeliveryConfiguration
@_exported public import class OrielExporterPrometheus.PrometheusListener
@_exported public import enum OrielTelemetry.AttributeType

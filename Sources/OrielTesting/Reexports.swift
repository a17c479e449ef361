// A file that imports OrielTesting alone may look at all that was captured; see Oriel's re-exports for the reason of this form.
@_exported public import struct OrielClient.MetricSnapshot
@_exported public import struct OrielOTLP.OTLPSpan
@_exported public import enum OrielTelemetry.AttributeValue

struct OTLPMetricTranslator: Sendable { init(options: OTLPMetricOptions) {} }

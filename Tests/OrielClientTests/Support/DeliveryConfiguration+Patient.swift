import OrielClient

extension DeliveryConfiguration {
    /// A configuration in which nothing happens by itself.
    static func patient(_ change: (inout DeliveryConfiguration) -> Void = { _ in }) -> DeliveryConfiguration {
        var configuration = DeliveryConfiguration()
        configuration.logDelay = .seconds(3600)
        configuration.spanDelay = .seconds(3600)
        configuration.metricInterval = .seconds(3600)
        configuration.exportTimeout = .seconds(60)
        configuration.retry.firstDelay = .seconds(3600)
        configuration.retry.longestDelay = .seconds(3600)
        change(&configuration)
        return configuration
    }
}

import Logging

/// A handler that takes a line as a real one does, and drops it.
///
/// swift-log's own no-op handler reports the level `critical`, so that lines never reach it: to compare with it would be to compare with a disabled level. This one
/// is enabled, and asks the metadata provider, since what a provider does is the application's.
struct NoOpLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if let metadataProvider { _ = metadataProvider.get() }
    }
}

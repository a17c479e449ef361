public import Logging

extension Oriel {
    /// Marks a value of the metadata that must not leave the process: `[redacted]` is exported in its stead, to every exporter.
    ///
    /// ```swift
    /// logger.info("signed in", metadata: ["user.email": .attributed(email, attributes: [Oriel.Redaction.redacted])])
    /// ```
    public enum Redaction: Int64, Sendable, Logging.Logger.MetadataValueAttributes.Attribute {
        case redacted = 1
    }
}

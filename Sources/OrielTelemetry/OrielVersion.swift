/// The version of the client and the daemon. It is written here and nowhere else.
package enum OrielVersion {
    /// By Semantic Versioning.
    package static let text = "0.1.0"
}

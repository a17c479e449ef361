/// The version of Oriel.
package enum OrielVersion {
    /// By Semantic Versioning.
    package static let text = "0.1.0"
}

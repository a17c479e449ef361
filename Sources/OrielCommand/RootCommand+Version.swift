import CRevision
import OrielTelemetry

extension RootCommand {
    /// The version of this program, by Semantic Versioning.
    static let version = OrielVersion.text

    /// The commit that this program was built from, empty unless the build told it, as `.ci/make-release` does.
    static let revision = unsafe String(cString: oriel_revision())

    /// What `--version` prints.
    static var versionLine: String {
        revision.isEmpty ? "oriel \(version)" : "oriel \(version) (\(revision))"
    }
}

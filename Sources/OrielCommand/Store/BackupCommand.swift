import ArgumentParser
import OrielCollector
import OrielSQLite
import OrielStore
import OrielTelemetry
import Synchronization

/// `oriel backup`: copies a store while it goes on.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy a store into a folder, while its server goes on.",
        discussion: """
            Everything that was acknowledged before is in the backup. A second backup into the same folder takes only what is new; until it is complete the first stays
            usable. On the same file system files are linked instead of copied: such a backup takes next to no room, and does not survive the disk.

            Examples:
              oriel backup /mnt/backup/oriel
              oriel backup /mnt/backup/oriel --data /var/lib/oriel
              oriel restore /mnt/backup/oriel --data /var/lib/oriel-2
            """)

    @Argument(help: "The folder of the backup, on the server's machine.", completion: .directory)
    var folder: String

    @OptionGroup var store: DataStoreOptions

    func run() async throws {
        let target = DataStoreOptions.absolute(folder)
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("path")
            writer.string(target)
        }
        let result = try await store.result("/api/oriel/admin/v1/backup", body: writer.bytes, progress: { $0.show() }) { opened in
            AdministrationAnswer.report(try await opened.backup(to: target) { ProgressAnswer($0).show() }, target: target)
        }
        let report = try AnswerList.decode(ReportAnswer.self, result)
        var output = StandardOutput()
        try output.line(
            "\(report.files) files, \(ByteSize.text(report.bytes)) in \(TerminalText.safe(target)): \(report.copiedFiles) copied, \(report.linkedFiles) linked, "
                + "\(report.files - report.copiedFiles - report.linkedFiles) were there")
        try output.flush()
        for path in report.damagedFiles { StandardError.write("oriel: \(TerminalText.safe(path)) is damaged, and so is its copy; see `oriel doctor`\n") }
        for warning in report.warnings { StandardError.write("oriel: \(TerminalText.safe(warning))\n") }
    }
}

private struct ReportAnswer: Decodable {
    var files: Int
    var bytes: Int64
    var copiedFiles: Int
    var linkedFiles: Int
    var damagedFiles: [String]
    var warnings: [String]

    enum CodingKeys: String, CodingKey {
        case files
        case bytes
        case copiedFiles = "copied_files"
        case linkedFiles = "linked_files"
        case damagedFiles = "damaged_files"
        case warnings
    }
}

/// `oriel restore`: makes a data folder from a backup.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a data folder from a backup.",
        discussion: """
            Checks every byte against what the backup says about itself. The data folder must be empty or not there yet; start a server on it when this is done.

            Examples:
              oriel restore /mnt/backup/oriel --data /var/lib/oriel-2
            """)

    @Argument(help: "The folder that `oriel backup` wrote.", completion: .directory)
    var backup: String

    @OptionGroup var store: DataStoreOptions

    func run() async throws {
        let folder = try store.folder
        let report: Restore.Report
        do {
            report = try await Restore.run(DataStoreOptions.absolute(backup), to: folder) { ProgressAnswer($0).show() }
        } catch {
            throw CommandFailure("\(error)")
        }
        var output = StandardOutput()
        try output.line("\(report.files) files, \(ByteSize.text(report.bytes)) in \(TerminalText.safe(folder)): the store as of \(report.taken.rfc3339)")
        try output.flush()
    }
}

public import OrielStore
import OrielTelemetry

/// What the administration of a store answers, as lines of JSON: objects with one member, `progress`, `result` or `error`; `{}` says that work goes on.
public enum AdministrationAnswer {
    /// What the last line of a success begins with; the result and a brace follow.
    public static let resultPrefix = "{\"result\":"

    static let pulse = Array("{}\n".utf8)

    static func line(_ progress: BackupProgress) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("progress")
            writer.object { writer in
                writer.member("files", progress.files)
                writer.member("bytes", progress.bytes)
                writer.member("total_files", progress.totalFiles)
                writer.member("total_bytes", progress.totalBytes)
            }
        }
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    static func line(result: [UInt8]) -> [UInt8] { Array(resultPrefix.utf8) + result + Array("}\n".utf8) }

    static func line(_ error: StoreError) -> [UInt8] { APIError(error).body + [UInt8(ascii: "\n")] }

    /// A backup that is complete.
    public static func report(_ report: BackupReport, target: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("path", target)
            writer.time("taken", report.taken)
            writer.member("files", report.files)
            writer.member("bytes", report.bytes)
            writer.member("copied_files", report.copiedFiles)
            writer.member("copied_bytes", report.copiedBytes)
            writer.member("linked_files", report.linkedFiles)
            writer.member("linked_bytes", report.linkedBytes)
            writer.member("damaged_files", texts: report.damagedFiles)
            writer.member("warnings", texts: report.warnings)
        }
        return writer.bytes
    }

    /// What a salvage did.
    public static func salvage(_ report: SalvageReport) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("folder", report.folder)
            writer.member("checked_files", report.checkedFiles)
            writer.member("checked_bytes", report.checkedBytes)
            writer.member("files", objects: report.receipts) { writer, receipt in writer.members(receipt) }
            writer.problems("failures", report.failures)
        }
        return writer.bytes
    }

    /// What an examination found.
    public static func examination(_ found: StoreExamination) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("healthy", found.isHealthy)
            writer.member("folder", found.folder)
            writer.member("free_bytes", optional: found.freeBytes)
            writer.member("checked_files", found.checkedFiles)
            writer.member("checked_bytes", found.checkedBytes)
            writer.problems("problems", found.problems)
            writer.member("signals", objects: Signal.allCases) { writer, signal in
                let values = found.statistics.signals[signal] ?? .init()
                writer.member("signal", signal.name)
                writer.member("rows", values.rows)
                writer.member("unflushed_rows", values.unflushedRows)
                writer.member("files", values.segments)
                writer.member("bytes", values.segmentBytes)
                writer.member("conflicting_rows", values.conflictingRows)
            }
            writer.key("disk")
            if let disk = found.statistics.disk { writer.disk(disk) } else { writer.null() }
            writer.member("pinned_bytes", found.statistics.pinnedBytes)
            for (name, shares) in [("services", found.services), ("columns", found.columns)] {
                writer.member(name, objects: shares) { writer, share in
                    writer.member("signal", share.signal.name)
                    writer.member("name", share.name)
                    writer.member("bytes", share.bytes)
                    writer.member("rows", share.rows)
                }
            }
            for (name, values) in [("metrics", found.metrics), ("labels", found.labels)] {
                writer.member(name, objects: values) { writer, value in
                    writer.member("name", value.name)
                    writer.member("count", value.count)
                }
            }
            writer.member("unknown_files", objects: found.unknownFiles) { writer, file in
                writer.member("name", file.name)
                writer.member("bytes", file.bytes)
            }
            writer.recovery(found.statistics.recovery)
            writer.member("scrubbed_bytes", found.statistics.scrubbedBytes)
            writer.time("last_scrub", found.statistics.lastScrub)
        }
        return writer.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func problems(_ name: String, _ problems: [StoreExamination.Problem]) {
        member(name, objects: problems) { writer, problem in
            writer.member("place", problem.place)
            writer.member("reason", problem.reason)
        }
    }

    fileprivate mutating func members(_ receipt: SalvageReceipt) {
        member("signal", receipt.signal.name)
        member("file", receipt.file)
        member("replacement", receipt.replacement)
        member("kept", receipt.kept)
        member("saved_rows", receipt.savedRows)
        member("incomplete_rows", receipt.incompleteRows)
        member("lost_rows", receipt.lostRows)
        member("losses", objects: receipt.losses) { writer, loss in
            writer.member("column", optional: loss.column)
            writer.member("rows", loss.rows)
            writer.time("start", loss.range.start)
            writer.time("end", loss.range.end)
            writer.member("reason", loss.reason)
        }
        member("remade", texts: receipt.remade)
    }

    fileprivate mutating func disk(_ disk: DiskStatistics) {
        object { writer in
            writer.member("budget_bytes", optional: disk.budget)
            writer.member("used_bytes", disk.used)
            writer.member("free_bytes", optional: disk.free)
            writer.member("full", disk.isFull)
            writer.key("bytes_per_day")
            writer.object { writer in
                for (signal, bytes) in disk.bytesPerDay.sorted(by: { $0.key < $1.key }) {
                    writer.key(signal.name)
                    writer.double(bytes)
                }
            }
            writer.key("dropped_bytes")
            writer.object { writer in
                for (signal, bytes) in disk.dropped.sorted(by: { $0.key < $1.key }) { writer.member(signal.name, bytes) }
            }
            writer.key("seconds_until_full")
            if let seconds = disk.secondsUntilFull { writer.double(seconds) } else { writer.null() }
        }
    }

    fileprivate mutating func recovery(_ recovery: RecoveryReport) {
        key("recovery")
        object { writer in
            writer.member("rebuilt", recovery.isRebuilt)
            writer.member("reason", optional: recovery.reason)
            writer.member("losses", texts: recovery.losses)
            writer.member("files_put_aside", texts: recovery.filesPutAside)
        }
    }
}

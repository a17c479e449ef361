import OrielStore

/// What a recovery finds lost, collected while it runs. Used by the thread that opens the store.
final class RecoveryNotes {
    private(set) var report = RecoveryReport()
    private var omitted = 0

    /// Losses and names that are kept; beyond it they are counted.
    private static let limit = 100
    private static let textLimit = 400

    /// Notes that the manifest is made anew from the files.
    func rebuild(_ reason: String) {
        report.isRebuilt = true
        report.reason = String(reason.prefix(Self.textLimit))
    }

    /// Notes something that does not come back.
    func lose(_ what: String) {
        guard report.losses.count < Self.limit else {
            omitted += 1
            return
        }
        report.losses.append(String(what.prefix(Self.textLimit)))
    }

    /// The whole report.
    ///
    /// - Parameter filesPutAside: names in the folder of unknown files that were not there before.
    func finish(filesPutAside: [String]) -> RecoveryReport {
        var report = report
        if omitted > 0 { report.losses.append("\(omitted) more") }
        report.filesPutAside = filesPutAside.prefix(Self.limit).map { String($0.prefix(Self.textLimit)) }
        if filesPutAside.count > Self.limit { report.filesPutAside.append("\(filesPutAside.count - Self.limit) more") }
        return report
    }
}

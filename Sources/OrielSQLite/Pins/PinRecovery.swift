import OrielStore
import OrielTelemetry

/// Puts the files of pins and app.db's list of them together at an opening.
struct PinRecovery {
    let core: StoreCore
    let notes: RecoveryNotes

    func run() throws -> PinFiles.Found {
        var found = PinFiles.Found()
        let folder = core.folder + "/" + PinFiles.folder
        let names = try core.files.exists(folder) ? core.files.list(folder) : []
        guard try !names.isEmpty || core.files.exists(core.folder + "/app.db") else { return found }
        let rows = try core.withAppDatabase { try AppDatabase.pinFiles($0) }
        let gone = rows.filter { $0.state != .live }.map(\.id)
        if !gone.isEmpty { try DeadFiles.unlink(gone.map { core.folder + "/" + PinFiles.path($0) }, core: core) }
        var missing: [UInt64] = []
        var known: Set<String> = []
        var live: Set<UInt64> = []
        for row in rows where row.state == .live {
            guard let description = row.description else { continue }
            known.insert("\(row.id).seg")
            guard try core.files.exists(core.folder + "/" + description.path) else {
                notes.lose("\(description.rowCount) pinned rows of \(description.signal.name): \(description.path) is missing")
                missing.append(row.id)
                continue
            }
            live.insert(row.id)
            open(description, pin: row.pin, &found)
        }
        try core.withAppDatabase { try AppDatabase.removePinFiles(gone + missing, $0) }
        for name in names where !known.contains(name) && !gone.contains(where: { "\($0).seg" == name }) {
            if name.hasSuffix(".seg.tmp") {
                try core.files.unlink(folder + "/" + name)
            } else {
                try adopt(name, live, &found)
            }
        }
        return found
    }

    private func open(_ description: SegmentDescription, pin: UInt64, _ found: inout PinFiles.Found) {
        do throws(StoreError) {
            let container = try SegmentFiles.open(description, core: core)
            found.opened.append(PinFiles.Opened(pin: pin, file: SegmentFiles.Opened(description: description, container: container)))
        } catch {
            // The rest keeps answering; the file stays where it is for whoever repairs it.
            core.damage.note(path: core.folder + "/" + description.path, block: nil, reason: "\(error)")
            found.quarantined.append(description)
        }
    }

    /// A file that app.db does not know comes from a lost or later app.db: it becomes a pin of its own, unless the rows of it are in a file that is known.
    private func adopt(_ name: String, _ live: Set<UInt64>, _ found: inout PinFiles.Found) throws {
        let path = "\(PinFiles.folder)/\(name)"
        guard let description = try SegmentFiles.description(path, core: core), description.pieces.isEmpty, description.path == path else {
            return try UnknownFiles.take(core.folder + "/" + path, core.folder, files: core.files)
        }
        guard live.isDisjoint(with: description.inputs) else {
            return try DeadFiles.unlink([core.folder + "/" + path], core: core)
        }
        let unit = description.signal.nanosecondsPerTimeUnit
        let (start, isEarly) = description.minimumTime.multipliedReportingOverflow(by: unit)
        let end = description.endNanoseconds
        let range = TimeRange(
            start: Timestamp(nanoseconds: isEarly ? .min : start), end: Timestamp(nanoseconds: end.addingSaturating(1)))
        let pin = KeptPin(
            id: 0, created: .now, note: "found without its record", selection: PinSelection(signals: [description.signal], range: range),
            ends: [description.signal: .max])
        notes.lose("what \(path) was pinned for: it is a pin of its own now")
        let id = try core.withAppDatabase { connection in
            try connection.transaction {
                let id = try AppDatabase.insertPin(pin, connection)
                try AppDatabase.adoptPinFile(description, pin: id, connection)
                return id
            }
        }
        open(description, pin: id, &found)
    }
}

/// What a disk may hold after the power was cut, made from a recording.
///
/// Sure is only what was synchronised: the bytes and size of a file by its own synchronisation, its name by that of the directory. Everything else is kept,
/// dropped or, for a write, torn at sectors of 512 bytes, at random; a rename happens wholly or not at all. That is harsher than a journaling file system.
struct PowerCut {
    /// How the unsynchronised changes fare. The seed chooses, so that orderly and wild outcomes both come up often.
    private enum Fate: CaseIterable {
        /// All are lost.
        case none
        /// All are there, as after kill -9.
        case all
        /// They stop at one point, each kind for itself.
        case prefix
        /// Each is there or not.
        case any
    }

    /// A file's bytes: as synchronised, and the changes since.
    private struct Content {
        var bytes: [UInt8] = []
        var pending: [Change] = []
    }

    private enum Change {
        case write(offset: Int, bytes: [UInt8])
        case truncate(Int)
    }

    private enum Entry: Equatable {
        case file(Int)
        case directory
    }

    /// A change of names that a directory has not yet made last.
    private enum NameChange {
        case add(String, Entry)
        case remove(String)
        case move(from: String, to: String, Entry)

        var directories: [String] {
            switch self {
            case .add(let path, _), .remove(let path): [path.relativeParent]
            // It is sure with the directory that it leads to; until then it has happened or not.
            case .move(_, let path, _): [path.relativeParent]
            }
        }
    }

    private var contents: [Int: Content] = [:]
    private var durable: [String: Entry] = [:]
    private var current: [String: Entry] = [:]
    private var pending: [NameChange] = []

    /// Replays the first `count` operations.
    private init(_ operations: ArraySlice<FileOperation>) {
        for operation in operations {
            apply(operation)
        }
    }

    /// Builds below `folder`, an existing empty directory, what the disk may hold when the power is cut after the first `count` of `operations`.
    static func image(
        of operations: [FileOperation], after count: Int, seed: UInt64, into folder: String, on layer: any FileLayer = POSIXFileLayer()
    ) throws(FileError) {
        var random = SplitMix(seed: seed)
        var cut = PowerCut(operations.prefix(count))
        try cut.settle(&random).write(into: folder, on: layer)
    }

    private mutating func apply(_ operation: FileOperation) {
        switch operation {
        case .create(let path, let file):
            contents[file] = Content()
            change(.add(path, .file(file)))
        case .write(let file, let offset, let bytes):
            contents[file, default: Content()].pending.append(.write(offset: Int(offset), bytes: bytes))
        case .truncate(let file, let size):
            contents[file, default: Content()].pending.append(.truncate(Int(size)))
        case .synchronize(let file):
            var content = contents.removeValue(forKey: file) ?? Content()
            for change in content.pending {
                Self.apply(change, to: &content.bytes)
            }
            content.pending = []
            contents[file] = content
        case .rename(let old, let new):
            guard let entry = current[old] else { return }
            if entry == .directory {
                for (path, below) in current where path.hasPrefix(old + "/") {
                    change(.move(from: path, to: new + path.dropFirst(old.count), below))
                }
            }
            change(.move(from: old, to: new, entry))
        case .unlink(let path), .removeDirectory(let path):
            change(.remove(path))
        case .createDirectory(let path):
            change(.add(path, .directory))
        case .synchronizeDirectory(let path):
            pending.removeAll { change in
                guard change.directories == [path] else { return false }
                Self.apply(change, to: &durable)
                return true
            }
        }
    }

    private mutating func change(_ change: NameChange) {
        Self.apply(change, to: &current)
        pending.append(change)
    }

    /// The names and bytes that are left.
    private mutating func settle(_ random: inout SplitMix) -> Disk {
        var names = durable
        for change in Self.surviving(pending, &random) {
            Self.apply(change, to: &names)
        }
        var files: [String: [UInt8]] = [:]
        var directories: [String] = []
        for (path, entry) in names.sorted(by: { $0.key < $1.key }) {
            // A name in a directory that is itself lost is lost with it.
            var parent = path.relativeParent
            while parent != "", names[parent] == .directory {
                parent = parent.relativeParent
            }
            guard parent == "" else { continue }
            switch entry {
            case .directory: directories.append(path)
            case .file(let number):
                let content = contents[number] ?? Content()
                var bytes = content.bytes
                let fate = Fate.allCases[random.below(Fate.allCases.count)]
                for change in Self.surviving(content.pending, fate, &random) {
                    if fate == .any {
                        Self.tear(change, &random, to: &bytes)
                    } else {
                        Self.apply(change, to: &bytes)
                    }
                }
                files[path] = bytes
            }
        }
        return Disk(directories: directories, files: files)
    }

    private static func surviving<Element>(_ elements: [Element], _ random: inout SplitMix) -> [Element] {
        surviving(elements, Fate.allCases[random.below(Fate.allCases.count)], &random)
    }

    private static func surviving<Element>(_ elements: [Element], _ fate: Fate, _ random: inout SplitMix) -> [Element] {
        switch fate {
        case .none: []
        case .all: elements
        case .prefix: Array(elements.prefix(random.below(elements.count + 1)))
        case .any: elements.filter { _ in random.below(2) == 0 }
        }
    }

    private static func apply(_ change: NameChange, to names: inout [String: Entry]) {
        switch change {
        case .add(let path, let entry): names[path] = entry
        case .remove(let path): names[path] = nil
        case .move(let old, let new, let entry):
            names[old] = nil
            names[new] = entry
        }
    }

    private static func apply(_ change: Change, to bytes: inout [UInt8]) {
        switch change {
        case .truncate(let size): resize(&bytes, to: size)
        case .write(let offset, let new):
            resize(&bytes, to: max(bytes.count, offset + new.count))
            bytes.replaceSubrange(offset..<(offset + new.count), with: new)
        }
    }

    /// Applies `change`, of every second write only some sectors.
    private static func tear(_ change: Change, _ random: inout SplitMix, to bytes: inout [UInt8]) {
        guard case .write(let offset, let new) = change, random.below(2) == 0 else {
            apply(change, to: &bytes)
            return
        }
        let end = offset + new.count
        resize(&bytes, to: max(bytes.count, end))
        var position = offset
        while position < end {
            let next = min(end, (position / sector + 1) * sector)
            if random.below(2) == 0 {
                bytes.replaceSubrange(position..<next, with: new[(position - offset)..<(next - offset)])
            }
            position = next
        }
    }

    private static func resize(_ bytes: inout [UInt8], to size: Int) {
        if size < bytes.count {
            bytes.removeLast(bytes.count - size)
        } else {
            bytes += [UInt8](repeating: 0, count: size - bytes.count)
        }
    }

    private static let sector = 512
}

/// Directories and files by their paths below a root.
private struct Disk {
    var directories: [String]
    var files: [String: [UInt8]]

    func write(into folder: String, on layer: any FileLayer) throws(FileError) {
        for directory in directories {
            try layer.createDirectory(folder + "/" + directory)
        }
        for (path, bytes) in files {
            let file = try layer.open(folder + "/" + path, .createNew)
            try layer.write(file, at: 0, bytes.span)
            try layer.close(file)
        }
    }
}

/// A small seeded generator (splitmix64).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }
}

extension String {
    /// What stands before the last "/" of a relative path, "" at the top.
    fileprivate var relativeParent: String {
        guard let slash = lastIndex(of: "/") else {
            return ""
        }
        return String(self[..<slash])
    }
}

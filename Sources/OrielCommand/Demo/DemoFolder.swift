import FoundationEssentials
import Glibc
import OrielCollector

/// Where the demo keeps its data.
struct DemoFolder: Sendable {
    /// An absolute path.
    let path: String
    /// Whether the folder stays when the demo ends.
    let isKept: Bool

    /// - Parameter keep: A folder that is made when it is missing and stays; without it a temporary one is made.
    init(keep: String?) throws {
        if let keep {
            path = keep.hasPrefix("/") ? keep : FileManager.default.currentDirectoryPath + "/" + keep
            isKept = true
            try DataFolder.prepare(path)
            return
        }
        var template = Array("\(FileManager.default.temporaryDirectory.path)/oriel-demo-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { unsafe mkdtemp($0.baseAddress!) != nil }
        guard made else { throw LoadError("no temporary folder can be made: \(errorText(errno))") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        isKept = false
    }

    /// Removes a temporary folder.
    func remove() {
        guard !isKept else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            StandardError.write("the temporary folder \(path) could not be removed: \(error)\n")
        }
    }
}

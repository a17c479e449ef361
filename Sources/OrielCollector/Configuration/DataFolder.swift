import FoundationEssentials
import Glibc

/// Where the daemon keeps its data.
public enum DataFolder {
    /// A data folder and what chose it.
    public struct Choice: Sendable, Equatable {
        /// An absolute path.
        public let path: String
        /// For example `--data` or `XDG_STATE_HOME`.
        public let origin: String
    }

    /// A data folder that cannot be used.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Chooses the folder: `--data`, `ORIEL_DATA`, the configuration file, `$STATE_DIRECTORY`, `$XDG_STATE_HOME/oriel`,
    /// `~/.local/state/oriel`.
    ///
    /// - Parameters:
    ///   - flag: the value of `--data`.
    ///   - file: the `data` of the configuration file.
    public static func choose(flag: String?, file: String?, environment: [String: String]) throws(Failure) -> Choice {
        let set = { (name: String) in environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let flag { return Choice(path: absolute(flag), origin: "--data") }
        if let path = set("ORIEL_DATA") { return Choice(path: absolute(path), origin: "ORIEL_DATA") }
        if let file { return Choice(path: absolute(file), origin: "configuration file") }
        // systemd lists several folders with colons; the first is ours.
        if let paths = set("STATE_DIRECTORY"), let path = paths.split(separator: ":").first {
            return Choice(path: absolute(String(path)), origin: "STATE_DIRECTORY")
        }
        if let path = set("XDG_STATE_HOME"), path.hasPrefix("/") { return Choice(path: path + "/oriel", origin: "XDG_STATE_HOME") }
        guard let home = set("HOME"), home.hasPrefix("/") else {
            throw Failure(description: "no place for the data folder: HOME is not set; give one with --data DIR or ORIEL_DATA")
        }
        return Choice(path: home + "/.local/state/oriel", origin: "default")
    }

    /// Makes the folder with mode 0700, its parents as the umask says.
    ///
    /// An existing folder keeps its mode.
    ///
    /// - Throws: ``Failure`` if the path is no folder or cannot be made.
    public static func prepare(_ path: String) throws(Failure) {
        var isFolder = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
            guard isFolder else { throw Failure(description: "the data folder \(path) is a file; choose another with --data DIR") }
            guard unsafe access(path, R_OK | W_OK | X_OK) == 0 else {
                throw Failure(
                    description: "the data folder \(path) cannot be written by this user: \(SystemError.text(errno)); "
                        + "change its owner or choose another with --data DIR")
            }
            return
        }
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        do {
            try FileManager.default.createDirectory(atPath: "/" + parent, withIntermediateDirectories: true)
        } catch {
            throw Failure(description: "the folder /\(parent) cannot be made: \(error)")
        }
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw Failure(description: "the data folder \(path) cannot be made: \(SystemError.text(errno))")
        }
    }

    private static func absolute(_ path: String) -> String {
        var path = path
        if !path.hasPrefix("/") { path = FileManager.default.currentDirectoryPath + "/" + path }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}

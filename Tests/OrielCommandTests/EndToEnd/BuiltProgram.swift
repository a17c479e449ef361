import Foundation
import Synchronization
import Testing

/// The built `oriel`, run as a user runs it.
struct BuiltProgram {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    struct NotBuilt: Error {}

    /// Beside the test bundle, where the build system puts all products.
    static func url() throws -> URL {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let program = folder.appendingPathComponent("oriel")
        guard FileManager.default.isExecutableFile(atPath: program.path) else { throw NotBuilt() }
        return program
    }

    /// The environment without anything that would lead the program to a server or folder of the machine's user.
    private static func environment(home: URL) -> [String: String] {
        ["HOME": home.path, "PATH": "/usr/bin:/bin", "TZ": "UTC"]
    }

    /// Runs to the end. Output goes through files, so that no pipe can fill up.
    static func run(_ arguments: [String], environment more: [String: String] = [:], home: URL) throws -> Outcome {
        try run(try url(), arguments, environment: more, home: home)
    }

    /// Runs a script of the shell, with the program as `$ORIEL` and arguments as `$1` and so on.
    static func shell(_ script: String, _ arguments: [String], home: URL) throws -> Outcome {
        try run(URL(fileURLWithPath: "/bin/sh"), ["-c", script, "sh"] + arguments, environment: ["ORIEL": try url().path], home: home)
    }

    /// Runs to the end with its output on an open file.
    static func run(_ arguments: [String], on output: FileHandle, environment more: [String: String], home: URL) throws -> Int32 {
        let process = Process()
        process.executableURL = try url()
        process.arguments = arguments
        process.environment = environment(home: home).merging(more) { _, given in given }
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    private static func run(_ program: URL, _ arguments: [String], environment more: [String: String], home: URL) throws -> Outcome {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = environment(home: home).merging(more) { _, given in given }
        let name = UUID().uuidString
        let files = ["out", "err"].map { home.appendingPathComponent("\(name).\($0)") }
        for file in files { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try String(contentsOf: files[0], encoding: .utf8),
            errors: try String(contentsOf: files[1], encoding: .utf8))
    }

    /// Starts and leaves running; its output is a file that is read while it grows.
    static func start(_ arguments: [String], home: URL) throws -> RunningProgram {
        let process = Process()
        process.executableURL = try url()
        process.arguments = arguments
        process.environment = environment(home: home)
        let file = home.appendingPathComponent("\(UUID().uuidString).out")
        try Data().write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return RunningProgram(process: process, file: file)
    }
}

/// A program in the background, ended with its owner.
final class RunningProgram {
    private let process: Process
    private let file: URL

    init(process: Process, file: URL) {
        self.process = process
        self.file = file
    }

    deinit {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }

    func output() throws -> String { try String(contentsOf: file, encoding: .utf8) }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Asks it to end and waits until it has; its exit status.
    func terminate() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// Waits until a condition holds.
func wait(for what: String, seconds: Double = 30, _ condition: () throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw WaitFailed(what: what) }
        try await Task.sleep(for: .milliseconds(20))
    }
}

struct WaitFailed: Error {
    let what: String
}

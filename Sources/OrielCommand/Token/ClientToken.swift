import FoundationEssentials

/// The token that a command shows to a server.
enum ClientToken {
    /// `--token`, `ORIEL_TOKEN`, the first line of the file that `ORIEL_TOKEN_FILE` names; `nil` for none.
    static func resolve(given: String?, environment: [String: String]) throws -> String? {
        if let given { return try checked(given, "--token") }
        if let token = environment["ORIEL_TOKEN"], !token.isEmpty { return try checked(token, "ORIEL_TOKEN") }
        guard let path = environment["ORIEL_TOKEN_FILE"], !path.isEmpty else { return nil }
        let content: Data
        do {
            content = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw CommandFailure("the file \(path) of ORIEL_TOKEN_FILE cannot be read", .usage)
        }
        let line = String(decoding: content.prefix(4096), as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        return try checked(String(line), path)
    }

    /// Refuses what cannot be in a header.
    private static func checked(_ token: String, _ origin: String) throws -> String {
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw CommandFailure("the token from \(origin) is empty or has spaces or control characters", .usage)
        }
        return token
    }
}

import OrielTelemetry

/// Finds what a request's path asks of its caller, before it is routed.
struct RouteRequirements: Sendable {
    private var exact: [String: AccessControl.Requirement] = [:]
    private var patterns: [(segments: [Substring], requirement: AccessControl.Requirement)] = []

    /// - Parameter routes: paths in the router's syntax.
    init(_ routes: [(path: String, requirement: AccessControl.Requirement)]) {
        for (path, requirement) in routes {
            if path.contains(where: { $0 == ":" || $0 == "*" }) {
                patterns.append((path.split(separator: "/"), requirement))
            } else {
                exact[path] = requirement
            }
        }
    }

    /// A sentence for somebody who asked for a path that is not there: the one that was probably meant, or all of them.
    func correction(of path: String) -> String {
        var known = Array(exact.keys)
        for pattern in patterns {
            // What stands before the first parameter.
            let fixed = pattern.segments.prefix { $0 != "*" && $0 != "**" && !$0.hasPrefix(":") }
            known.append("/" + fixed.joined(separator: "/") + "/")
        }
        known = Set(known).sorted()
        if let nearest = Suggestion.closest(to: path, in: known) { return "did you mean \(nearest)?" }
        return known.isEmpty ? "it serves gRPC only" : "it serves \(known.joined(separator: ", "))"
    }

    subscript(path: String) -> AccessControl.Requirement? {
        if let requirement = exact[path] { return requirement }
        let segments = path.split(separator: "/")
        return patterns.first { Self.matches(segments, $0.segments) }?.requirement
    }

    private static func matches(_ segments: [Substring], _ pattern: [Substring]) -> Bool {
        for (index, part) in pattern.enumerated() {
            if part == "**" { return segments.count > index }
            guard index < segments.count, part == "*" || part.hasPrefix(":") || part == segments[index] else { return false }
        }
        return segments.count == pattern.count
    }
}

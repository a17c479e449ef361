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

import HTTPTypes
import Hummingbird

/// Every HTTP route of the daemon, each under a role.
///
/// Rooms of the collector add their routes at start; each listener then gets a router that holds only the routes of its roles, so
/// that a listener for ingestion does not even know the queries' paths. A known path with another method is answered 405.
struct RouteTable {
    typealias Handler = @Sendable (Request, CollectorRequestContext) async throws -> Response

    private struct Route {
        let role: ListenerRole
        let method: HTTPRequest.Method
        let path: String
        let isOpen: Bool
        let handler: Handler
    }

    private var routes: [Route] = []

    /// Adds a route.
    ///
    /// - Parameters:
    ///   - role: Listeners without it answer 404.
    ///   - method: GET also serves HEAD.
    ///   - path: Hummingbird's path syntax: `/api/oriel/v1/traces/:id`, `*`, `**`.
    ///   - isOpen: Served without a token, as health probes are.
    ///   - handler: Answers; a thrown ``HTTPProblem`` becomes its response. It takes its store from `context.access.narrow(_:)`.
    mutating func on(
        _ role: ListenerRole, _ method: HTTPRequest.Method, _ path: String, isOpen: Bool = false, use handler: @escaping Handler
    ) {
        // The dispatcher asks before the body is read, by the path as it was sent; this is the place that nobody gets around.
        let guarded: Handler = { request, context in
            if !isOpen { try context.access.require(role) }
            return try await handler(request, context)
        }
        routes.append(Route(role: role, method: method, path: path, isOpen: isOpen, handler: guarded))
    }

    /// What the paths that a listener with these roles serves ask of who calls them.
    func requirements(roles: Set<ListenerRole>) -> RouteRequirements {
        RouteRequirements(
            routes.filter { roles.contains($0.role) }.map { ($0.path, AccessControl.Requirement(role: $0.role, isOpen: $0.isOpen)) })
    }

    /// Method and path of all routes of a role.
    func paths(of role: ListenerRole) -> [(method: HTTPRequest.Method, path: String)] {
        routes.filter { $0.role == role }.map { ($0.method, $0.path) }
    }

    /// The router of a listener with these roles.
    func makeResponder(roles: Set<ListenerRole>) -> RouterResponder<CollectorRequestContext> {
        let router = Router(context: CollectorRequestContext.self)
        let served = routes.filter { roles.contains($0.role) }
        var methods: [String: Set<HTTPRequest.Method>] = [:]
        for route in served {
            router.on(RouterPath(route.path), method: route.method, use: route.handler)
            methods[route.path, default: []].insert(route.method)
        }
        for (path, known) in methods {
            var known = known
            if known.contains(.get), !known.contains(.head), let get = served.first(where: { $0.path == path && $0.method == .get }) {
                known.insert(.head)
                router.on(RouterPath(path), method: .head, use: get.handler)
            }
            let allow = known.map(\.rawValue).sorted().joined(separator: ", ")
            for method in Self.commonMethods where !known.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw HTTPProblem(
                        .methodNotAllowed, "\(path) does not support \(method.rawValue); use \(allow)", headers: [.allow: allow])
                }
            }
        }
        return router.buildResponder()
    }

    /// The paths under the ingest role, without parameters: the ones that may bring large bodies and that browsers may post to.
    var ingestPaths: Set<String> {
        Set(routes.filter { $0.role == .ingest }.map(\.path))
    }

    private static let commonMethods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
}

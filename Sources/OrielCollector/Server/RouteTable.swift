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
        let handler: Handler
    }

    private var routes: [Route] = []

    /// Adds a route.
    ///
    /// - Parameters:
    ///   - role: Listeners without it answer 404.
    ///   - method: GET also serves HEAD.
    ///   - path: Hummingbird's path syntax: `/api/oriel/v1/traces/:id`, `*`, `**`.
    ///   - handler: Answers; a thrown ``HTTPProblem`` becomes its response.
    mutating func on(_ role: ListenerRole, _ method: HTTPRequest.Method, _ path: String, use handler: @escaping Handler) {
        routes.append(Route(role: role, method: method, path: path, handler: handler))
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

import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OrielStore
import OrielTelemetry

/// What `oriel delete` asks: ``DeletionAPI`` for those who may administer.
struct DeletionRoutes: Sendable {
    let store: any TelemetryStore
    let audit: AuditLog

    func addRoutes(to routes: inout RouteTable) {
        routes.on(.admin, .get, DeletionAPI.path) { request, context in await api(context).list().response(to: request.method) }
        routes.on(.admin, .get, DeletionAPI.path + "/:id") { request, context in
            await api(context).deletion(context.parameters.get("id") ?? "").response(to: request.method)
        }
        routes.on(.admin, .post, DeletionAPI.path) { request, context in await delete(context).response(to: request.method) }
    }

    private func api(_ context: CollectorRequestContext) -> DeletionAPI { DeletionAPI(store: context.access.narrow(store)) }

    private func delete(_ context: CollectorRequestContext) async -> APIAnswer {
        await api(context).delete(Array(context.body.readableBytesView)) { deletion, id, error in
            var details: Logger.Metadata = [:]
            if let id { details["deletion"] = "\(id)" }
            if let deletion { details.add(signals: deletion.signals, range: deletion.range, filter: deletion.filterText) }
            context.audit(audit, "store.delete", error: error, details: details)
        }
    }
}

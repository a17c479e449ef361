import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OrielStore
import OrielTelemetry

/// What `oriel pin`, `oriel pins` and `oriel unpin` ask: ``PinAPI`` for those who may administer.
struct PinRoutes: Sendable {
    let store: any TelemetryStore
    let audit: AuditLog

    func addRoutes(to routes: inout RouteTable) {
        routes.on(.admin, .get, PinAPI.path) { request, context in await api(context).list().response(to: request.method) }
        routes.on(.admin, .post, PinAPI.path) { request, context in await pin(context).response(to: request.method) }
        routes.on(.admin, .delete, PinAPI.path + "/:id") { request, context in await unpin(context).response(to: request.method) }
    }

    private func api(_ context: CollectorRequestContext) -> PinAPI { PinAPI(store: context.access.narrow(store)) }

    private func pin(_ context: CollectorRequestContext) async -> APIAnswer {
        await api(context).pin(Array(context.body.readableBytesView)) { selection, pin, error in
            context.audit(audit, "store.pin", error: error, details: Self.details(selection, pin))
        }
    }

    private func unpin(_ context: CollectorRequestContext) async -> APIAnswer {
        let id = context.parameters.get("id") ?? ""
        return await api(context).unpin(id) { pin, error in
            var details = Self.details(pin?.selection, pin)
            details["pin"] = "\(id.prefix(100))"
            context.audit(audit, "store.unpin", error: error, details: details)
        }
    }

    private static func details(_ selection: PinSelection?, _ pin: Pin?) -> Logger.Metadata {
        var details: Logger.Metadata = [:]
        if let pin {
            details["pin"] = "\(pin.id)"
            details["note"] = "\(pin.note)"
            details["rows"] = "\(pin.rowCount)"
            details["bytes"] = "\(pin.byteCount)"
        }
        if let selection { details.add(signals: selection.signals, range: selection.range, filter: selection.filterText) }
        return details
    }
}

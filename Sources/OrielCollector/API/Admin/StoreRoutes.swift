import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OrielStore
import OrielTelemetry

/// `/api/oriel/admin/v1/backup`, `/api/oriel/admin/v1/doctor` and `/api/oriel/admin/v1/salvage`: what `oriel backup` and `oriel doctor` ask a running server. All
/// answer with lines of JSON, see ``AdministrationAnswer``.
struct StoreRoutes: Sendable {
    static let backupPath = "/api/oriel/admin/v1/backup"
    static let doctorPath = "/api/oriel/admin/v1/doctor"
    static let salvagePath = "/api/oriel/admin/v1/salvage"

    let administration: any StoreAdministration
    let audit: AuditLog

    func addRoutes(to routes: inout RouteTable) {
        routes.on(.admin, .post, Self.backupPath) { _, context in backup(context) }
        routes.on(.admin, .post, Self.doctorPath) { _, context in examine(context) }
        routes.on(.admin, .post, Self.salvagePath) { _, context in salvage(context) }
    }

    private struct BackupRequest: Decodable {
        var path: String
    }

    private struct DoctorRequest: Decodable {
        /// Whether every blob is read; by default it is.
        var reads: Bool?
    }

    private func backup(_ context: CollectorRequestContext) -> Response {
        if let refusal = Self.refusal(context) { return refusal }
        let request: BackupRequest
        do {
            request = try JSONDecoder().decode(BackupRequest.self, from: Data(context.body.readableBytesView))
        } catch {
            return Self.response(APIError(status: 400, "the body is not {\"path\": \"/absolute/path/on/the/server\"}"))
        }
        let target = request.path
        guard target.hasPrefix("/"), target.utf8.count < 4096, !target.utf8.contains(0) else {
            return Self.response(APIError(status: 400, "path must be an absolute path on the server", parameter: "path"))
        }
        let (administration, audit, access, peer) = (administration, audit, context.access, context.origin)
        return Self.lines { report in
            do throws(StoreError) {
                let made = try await administration.backup(to: target) { report(AdministrationAnswer.line($0)) }
                audit.audit("store.backup", by: access, peer: peer, ["path": "\(target)", "files": "\(made.files)", "bytes": "\(made.bytes)"])
                return AdministrationAnswer.line(result: AdministrationAnswer.report(made, target: target))
            } catch {
                audit.audit("store.backup", by: access, peer: peer, error: error.description, ["path": "\(target)"])
                return AdministrationAnswer.line(error)
            }
        }
    }

    private func examine(_ context: CollectorRequestContext) -> Response {
        if let refusal = Self.refusal(context) { return refusal }
        var readsAll = true
        if context.body.readableBytes > 0 {
            do {
                readsAll = try JSONDecoder().decode(DoctorRequest.self, from: Data(context.body.readableBytesView)).reads ?? true
            } catch {
                return Self.response(APIError(status: 400, "the body is not {\"reads\": true}"))
            }
        }
        let administration = administration
        return Self.lines { [readsAll] _ in
            do throws(StoreError) {
                return AdministrationAnswer.line(result: AdministrationAnswer.examination(try await administration.examine(readsAll: readsAll)))
            } catch {
                return AdministrationAnswer.line(error)
            }
        }
    }

    private func salvage(_ context: CollectorRequestContext) -> Response {
        if let refusal = Self.refusal(context) { return refusal }
        let (administration, audit, access, peer) = (administration, audit, context.access, context.peer?.description)
        return Self.lines { _ in
            do throws(StoreError) {
                let report = try await administration.salvage { _ in }
                let (saved, lost) = report.receipts.reduce((0, 0)) { ($0.0 + $1.savedRows, $0.1 + $1.lostRows) }
                audit.audit(
                    "store.salvage", by: access, peer: peer,
                    [
                        "files": "\(report.receipts.map(\.file).joined(separator: " "))", "saved_rows": "\(saved)", "lost_rows": "\(lost)",
                        "failures": "\(report.failures.count)",
                    ])
                return AdministrationAnswer.line(result: AdministrationAnswer.salvage(report))
            } catch {
                audit.audit("store.salvage", by: access, peer: peer, error: error.description)
                return AdministrationAnswer.line(error)
            }
        }
    }

    /// All see the telemetry of all tenants.
    private static func refusal(_ context: CollectorRequestContext) -> Response? {
        guard context.access.tenant != nil else { return nil }
        return response(APIError(status: 403, "the token is one tenant's; this concerns the whole store"))
    }

    private static func response(_ error: APIError) -> Response {
        Response(
            status: HTTPResponse.Status(code: error.status), headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: error.body)))
    }

    /// Answers with lines as work goes on, and one every ten seconds when there is nothing to say. Work that was begun goes on when the reader goes away.
    ///
    /// - Parameter work: gets a function that sends a line; returns the last.
    private static func lines(_ work: @escaping @Sendable (@escaping @Sendable ([UInt8]) -> Void) async -> [UInt8]) -> Response {
        let body = ResponseBody { writer in
            let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingNewest(8))
            Task {
                let last = await work { continuation.yield($0) }
                continuation.yield(last)
                continuation.finish()
            }
            let pulse = Task {
                while true {
                    try await Task.sleep(for: .seconds(10))
                    continuation.yield(AdministrationAnswer.pulse)
                }
            }
            defer { pulse.cancel() }
            for await line in stream { try await writer.write(ByteBuffer(bytes: line)) }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"], body: body)
    }
}

import OrielClient
import OrielOTLP
import OrielTelemetry

extension ExportOutcome {
    /// Bytes of a receiver's own words that are passed on.
    private static let messageLimit = 500

    /// What an answer means.
    ///
    /// Of the failures only 429, 502, 503 and 504 may go away by themselves (OTLP specification, "Failures" of OTLP/HTTP).
    init(_ response: HTTPResponse, signal: ExportSignal, receiver: String) {
        let status = "\(receiver) answered \(response.status)"
        switch response.status {
        case 200..<300: self = .delivered(response, signal)
        case 300..<400:
            let place = response.location.map { ", which points to \(Self.cleaned($0)): the endpoint must say so" } ?? ""
            self = .refused(reason: status + place)
        default:
            let (message, asked) = Self.error(response)
            let reason = message.isEmpty ? status + (response.phrase.isEmpty ? "" : " " + Self.cleaned(response.phrase)) : "\(status): \(message)"
            if [429, 502, 503, 504].contains(response.status) {
                let after = response.retryAfter.flatMap { RetryAfter.delay($0, date: response.date, now: .now) }
                self = .failed(after: after ?? asked, reason: reason)
            } else {
                self = .refused(reason: reason)
            }
        }
    }

    private static func delivered(_ response: HTTPResponse, _ signal: ExportSignal) -> ExportOutcome {
        let service: OTLPExportResponse.Service =
            switch signal {
            case .logs: .logs
            case .metrics: .metrics
            case .spans: .traces
            }
        guard !response.body.isEmpty, let format = format(response) else { return .delivered() }
        do throws(OTLPError) {
            let answer = try OTLPExportResponse(response.body.span, service: service, format: format)
            return .delivered(rejected: Int(clamping: max(0, answer.rejectedCount)), message: cleaned(answer.errorMessage))
        } catch {
            // The status is what counts.
            return .delivered(rejected: 0, message: "the answer to a delivery cannot be read: \(error)")
        }
    }

    private static func format(_ response: HTTPResponse) -> OTLPFormat? {
        switch response.contentType {
        case "application/x-protobuf", "application/protobuf": .protobuf
        case "application/json": .json
        default: nil
        }
    }

    /// What an error answer says, and after how long to come back if it says so.
    private static func error(_ response: HTTPResponse) -> (message: String, after: Duration?) {
        let format = format(response)
        // A body that is no status is a text for people, where it can be one.
        let status = format.flatMap { try? RPCStatus(response.body.span, format: $0) }
        let after = status?.retryDelay.map { Duration.nanoseconds($0) }
        if let status, !status.message.isEmpty { return (cleaned(status.message), after) }
        // Protobuf makes no sense to people.
        return (format == .protobuf ? "" : cleaned(String(repairing: response.body.span)), after)
    }

    /// A text that others made, fit for a line of a log: without control characters, and cut.
    private static func cleaned(_ text: String) -> String {
        var result = ""
        var isGap = false
        for scalar in text.unicodeScalars {
            // Spaces, control and format characters, the last of which can turn the rest of a line around.
            if scalar.properties.isWhitespace || [.control, .format, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory) {
                isGap = !result.isEmpty
                continue
            }
            if result.utf8.count + 1 + UTF8.width(scalar) > messageLimit { return result + "..." }
            if isGap { result.unicodeScalars.append(" ") }
            isGap = false
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}

public import Logging

extension Logging.Logger.Level {
    /// OTLP's `SeverityNumber`: trace 1, debug 5, info 9, notice 10, warning 13, error 17, critical 21.
    public var severityNumber: Int32 {
        switch self {
        case .trace: 1
        case .debug: 5
        case .info: 9
        case .notice: 10
        case .warning: 13
        case .error: 17
        case .critical: 21
        }
    }

    /// The level's name in upper case, as `severity_text` and as lines of text have it.
    var severityText: StaticString {
        switch self {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info: "INFO"
        case .notice: "NOTICE"
        case .warning: "WARNING"
        case .error: "ERROR"
        case .critical: "CRITICAL"
        }
    }
}

/// The `grpc-timeout` header: at most eight digits and a unit.
enum GRPCTimeout {
    /// The time that the caller is willing to wait, nil if the header is malformed.
    static func parse(_ text: String) -> Duration? {
        guard let unit = text.last, text.utf8.count <= 9, text.utf8.count >= 2 else { return nil }
        let digits = text.dropLast()
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Int64(digits) else {
            return nil
        }
        switch unit {
        case "H": return .seconds(value * 3600)
        case "M": return .seconds(value * 60)
        case "S": return .seconds(value)
        case "m": return .milliseconds(value)
        case "u": return .microseconds(value)
        case "n": return .nanoseconds(value)
        default: return nil
        }
    }
}

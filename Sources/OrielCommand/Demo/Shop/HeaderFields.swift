import Oriel
import Tracing

/// Puts contexts of spans into headers and takes them out.
struct HeaderFields: Injector, Extractor {
    typealias Carrier = [String: String]

    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }

    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }

    /// The context that headers carry, empty without any.
    static func context(of headers: [String: String]) -> ServiceContext {
        var context = ServiceContext.topLevel
        for propagator in Oriel.Propagator.standard { propagator.extract(headers, into: &context, using: HeaderFields()) }
        return context
    }
}

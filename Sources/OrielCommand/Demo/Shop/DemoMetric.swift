/// The metrics of the shop, which its past and its present have in common.
enum DemoMetric: String, CaseIterable, Sendable {
    case requestDuration = "http.server.request.duration"
    case memory = "process.memory.usage"
    case orders = "shop.orders"
    case queueDepth = "shop.queue.depth"

    var unit: String {
        switch self {
        case .requestDuration: "s"
        case .memory: "By"
        case .orders: "{order}"
        case .queueDepth: "{event}"
        }
    }

    var help: String {
        switch self {
        case .requestDuration: "Time to answer a request."
        case .memory: "Memory of the process."
        case .orders: "Orders by how they ended."
        case .queueDepth: "Events that wait."
        }
    }

    /// The upper bounds of the buckets of ``requestDuration``, in seconds.
    static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

    /// The attributes of a request's span that ``requestDuration`` is told by.
    static let requestLabels = ["http.request.method", "http.route", "http.response.status_code"]

    static let queueLabel = (name: "queue", value: "order.paid")
    static let orderLabel = "order.state"
}

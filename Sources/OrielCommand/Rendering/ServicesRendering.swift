/// A list of services.
enum ServicesRendering {
    static func lines(_ services: [ServiceRow], _ options: RenderOptions) -> [String] {
        var table = Table([Table.Column(title: "SERVICE", minimumWidth: 16), Table.Column(title: "SENT")])
        for service in services {
            table.add([
                Table.Cell(service.name) { options.style.named(service.name, $0) },
                Table.Cell(service.signals.joined(separator: ", ")) { options.style.dim($0) },
            ])
        }
        return table.lines(options)
    }

    static let csvHeader = ["name", "signals"]

    static func csvFields(_ service: ServiceRow) -> [String] { [service.name, service.signals.joined(separator: " ")] }
}

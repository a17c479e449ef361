/// What the command line asks for.
struct Options {
    /// Only rows whose names begin with this are measured.
    var only: String?
    /// How often each is measured, in multiples of the default: more for quieter figures.
    var repetitions = 1

    static let usage = "usage: PeerBenchmark [--only TEXT] [--repeat COUNT]"

    /// `nil` when the arguments are not understood.
    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            switch option {
            case "--only": only = value
            case "--repeat":
                guard let count = Int(value), (1...1000).contains(count) else { return nil }
                repetitions = count
            default: return nil
            }
        }
    }

    func wants(_ name: String) -> Bool { only.map { name.hasPrefix($0) } ?? true }
}

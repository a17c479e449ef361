import OrielTelemetry

/// The streams that some rows use, and their ordinals in the order of stream ids: what turns the process's references into a container's own numbers.
///
/// References are dense from 0, so a table answers without hashing; where they have grown far beyond the streams at hand a dictionary does.
struct StreamOrdinals {
    /// By ordinal.
    let references: [StreamReference]
    private let table: [UInt32]
    private let dictionary: [StreamReference: UInt32]

    /// Largest table, in entries.
    private static let tableLimit = 1 << 20

    /// - Parameter references: in the order of stream ids.
    init(sorted references: [StreamReference]) {
        self.references = references
        let highest = Int(references.max() ?? 0)
        if highest < StreamOrdinals.tableLimit {
            var table = [UInt32](repeating: 0, count: highest + 1)
            for (ordinal, reference) in references.enumerated() { table[Int(reference)] = UInt32(ordinal) }
            self.table = table
            dictionary = [:]
        } else {
            var dictionary: [StreamReference: UInt32] = [:]
            dictionary.reserveCapacity(references.count)
            for (ordinal, reference) in references.enumerated() { dictionary[reference] = UInt32(ordinal) }
            self.dictionary = dictionary
            table = []
        }
    }

    /// The ordinals of references that are all among the streams.
    func ordinals(of references: [StreamReference]) -> [UInt32] {
        if !table.isEmpty { return references.map { table[Int($0)] } }
        var last: (reference: StreamReference, ordinal: UInt32)?
        return references.map { reference in
            if let last, last.reference == reference { return last.ordinal }
            let ordinal = dictionary[reference] ?? 0
            last = (reference, ordinal)
            return ordinal
        }
    }

    /// Each reference of some lists once, in no order.
    static func distinct(_ lists: some Sequence<[StreamReference]>) -> [StreamReference] {
        var isSeen: [Bool] = []
        var others: Set<StreamReference> = []
        var found: [StreamReference] = []
        for list in lists {
            var last: StreamReference?
            for reference in list where reference != last {
                last = reference
                let index = Int(reference)
                if index >= tableLimit {
                    if others.insert(reference).inserted { found.append(reference) }
                    continue
                }
                if index >= isSeen.count {
                    isSeen.append(contentsOf: repeatElement(false, count: max(index + 1 - isSeen.count, isSeen.count)))
                }
                if !isSeen[index] {
                    isSeen[index] = true
                    found.append(reference)
                }
            }
        }
        return found
    }
}

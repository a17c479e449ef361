extension MetricSnapshot {
    /// Bytes of its text form, about: room that is there from the start need not be moved to.
    var textBytes: Int { families.reduce(0) { $0 + $1.textBytes } }
}

extension MetricSnapshot.Family {
    /// What a line has besides its name and labels: endings, a bound, a number.
    private static let otherBytes = 32

    fileprivate var textBytes: Int {
        let lines = series.span
        var bytes = 2 * name.utf8.count + help.utf8.count + 2 * Self.otherBytes
        for index in lines.indices {
            bytes += (name.utf8.count + lines[index].renderedLabels.count + Self.otherBytes) * lines[index].lineCount
        }
        return bytes
    }
}

extension MetricSnapshot.Series {
    fileprivate var lineCount: Int {
        switch point {
        case .counter, .gauge, .info: 1
        case .histogram(let histogram): histogram.counts.count + 2
        // One for each power of two, of which nobody has counted how many there are.
        case .exponentialHistogram: 16
        }
    }
}

/// Finds what somebody who mistyped a name meant.
public enum Suggestion {
    /// The candidate that is the fewest edits away from `name`, or `nil` when none is close: at most a third of the letters, one at least. Case does not count.
    ///
    /// Complexity: O(*candidates* · *letters²*); names beyond 64 letters get no suggestion.
    public static func closest(to name: String, in candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().unicodeScalars)
        guard (1...64).contains(wanted.count) else { return nil }
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let letters = Array(candidate.lowercased().unicodeScalars)
            guard letters.count <= 64 else { continue }
            let limit = max(1, max(wanted.count, letters.count) / 3)
            guard abs(letters.count - wanted.count) <= limit else { continue }
            let distance = editDistance(wanted, letters)
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.candidate
    }

    /// ` (did you mean "service"?)` with a space in front, or the empty string when nothing is close: for the end of a message.
    public static func hint(for name: String, in candidates: some Sequence<String>) -> String {
        closest(to: name, in: candidates).map { " (did you mean \"\($0)\"?)" } ?? ""
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other (optimal string alignment).
    static func editDistance(_ left: [UnicodeScalar], _ right: [UnicodeScalar]) -> Int {
        if left.isEmpty { return right.count }
        if right.isEmpty { return left.count }
        var beforePrevious = [Int](repeating: 0, count: right.count + 1)
        var previous = Array(0...right.count)
        var current = previous
        for row in 1...left.count {
            current[0] = row
            for column in 1...right.count {
                let replacement = previous[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1)
                var distance = min(previous[column] + 1, current[column - 1] + 1, replacement)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    distance = min(distance, beforePrevious[column - 2] + 1)
                }
                current[column] = distance
            }
            (beforePrevious, previous, current) = (previous, current, beforePrevious)
        }
        return previous[right.count]
    }
}

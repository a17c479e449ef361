import OrielThreads
import Synchronization

/// A queue from many threads or tasks to one own thread, bounded by the summed weight of what waits.
///
/// Nobody blocks to put something in: over the bound it is refused, and the caller says so to whoever asked.
final class BoundedQueue<Element: Sendable>: Sendable {
    enum Refusal: Error, Sendable {
        case full
        case closed
    }

    private struct State {
        var elements: [(element: Element, weight: Int)] = []
        var head = 0
        var weight = 0
        var isClosed = false

        var isEmpty: Bool { head == elements.count }

        mutating func removeFirst() -> Element {
            let (element, weight) = elements[head]
            head += 1
            self.weight -= weight
            if head == elements.count {
                elements.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 64, head * 2 >= elements.count {
                elements.removeFirst(head)
                head = 0
            }
            return element
        }
    }

    private let capacity: Int
    private let state = Mutex(State())
    private let signal = ThreadSignal()

    /// - Parameter capacity: The largest summed weight; one element alone may be heavier.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Puts `element` last.
    func put(_ element: Element, weight: Int = 1) throws(Refusal) {
        let refusal: Refusal? = state.withLock { state in
            if state.isClosed { return .closed }
            if !state.isEmpty, weight > capacity - state.weight { return .full }
            state.elements.append((element, weight))
            state.weight += weight
            return nil
        }
        if let refusal {
            throw refusal
        }
        signal.notify()
    }

    /// Takes what waits, in order, as long as the summed weight is at most `weight`; the first element whatever it weighs. Sleeps while nothing waits.
    ///
    /// - Parameter timeout: The longest sleep.
    /// - Returns: Nothing after the timeout, `nil` when the queue is closed and empty.
    func take(weight limit: Int, timeout: Duration? = nil) -> [Element]? {
        while true {
            let ticket = signal.ticket
            let taken: [Element]?? = state.withLock { state in
                if state.isEmpty {
                    return state.isClosed ? .some(nil) : nil
                }
                var taken: [Element] = []
                var weight = 0
                while !state.isEmpty, taken.isEmpty || state.elements[state.head].weight <= limit - weight {
                    weight += state.elements[state.head].weight
                    taken.append(state.removeFirst())
                }
                return taken
            }
            if let taken {
                return taken
            }
            if !signal.wait(after: ticket, timeout: timeout), timeout != nil {
                return []
            }
        }
    }

    /// Refuses everything from now on; what waits is still taken.
    func close() {
        state.withLock { $0.isClosed = true }
        signal.notify()
    }

    /// The summed weight of what waits.
    var weight: Int {
        state.withLock { $0.weight }
    }
}

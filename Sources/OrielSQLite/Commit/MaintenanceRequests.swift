import OrielStore
import OrielTelemetry
import OrielThreads
import Synchronization

/// What callers want of the maintenance thread.
final class MaintenanceRequests: Sendable {
    typealias Finish = @Sendable (Result<Void, any Error>) -> Void

    struct FloorOrder: Sendable {
        var signal: Signal
        var floor: Timestamp
        var finish: Finish
    }

    struct DeletionOrder: Sendable {
        var deletion: Deletion
        var finish: @Sendable (Result<DeletionStatus, any Error>) -> Void
    }

    struct PinOrder: Sendable {
        enum Change: Sendable {
            case make(PinSelection, note: String)
            case remove(UInt64)
        }

        var change: Change
        /// `nil` when there is no such pin.
        var finish: @Sendable (Result<Pin?, any Error>) -> Void

        init(change: Change, finish: @escaping @Sendable (Result<Pin?, any Error>) -> Void) {
            self.change = change
            self.finish = finish
        }
    }

    struct SalvageOrder: Sendable {
        /// What was read to find the damage.
        var report: SalvageReport
        var progress: @Sendable (SalvageProgress) -> Void
        var finish: @Sendable (Result<SalvageReport, any Error>) -> Void

        init(
            report: SalvageReport, progress: @escaping @Sendable (SalvageProgress) -> Void,
            finish: @escaping @Sendable (Result<SalvageReport, any Error>) -> Void
        ) {
            self.report = report
            self.progress = progress
            self.finish = finish
        }
    }

    struct ForgettingOrder: Sendable {
        var extent: StreamForgetting.Extent
        /// Told whether streams were forgotten.
        var finish: @Sendable (Bool) -> Void
    }

    struct Orders: Sendable {
        var salvages: [SalvageOrder] = []
        var forgettings: [ForgettingOrder] = []
        var pins: [PinOrder] = []
        var deletions: [DeletionOrder] = []
        var flushes: [Finish] = []
        var floors: [FloorOrder] = []
        var isStopping = false
        /// Who stops wants everything in files first, and hears how that went.
        var finalFlush: Finish?
    }

    private let orders = Mutex(Orders())
    private let signal: ThreadSignal

    init(_ signal: ThreadSignal) {
        self.signal = signal
    }

    /// Asks for a flush of everything and for merges until there is none.
    func flush(_ finish: @escaping Finish) {
        if !change({ $0.flushes.append(finish) }) {
            finish(.failure(StoreError.closed))
        }
    }

    func raiseFloor(_ order: FloorOrder) {
        if !change({ $0.floors.append(order) }) {
            order.finish(.failure(StoreError.closed))
        }
    }

    func delete(_ order: DeletionOrder) {
        if !change({ $0.deletions.append(order) }) {
            order.finish(.failure(StoreError.closed))
        }
    }

    func forgetStreams(_ order: ForgettingOrder) {
        if !change({ $0.forgettings.append(order) }) {
            order.finish(false)
        }
    }

    func pin(_ order: PinOrder) {
        if !change({ $0.pins.append(order) }) {
            order.finish(.failure(StoreError.closed))
        }
    }

    func salvage(_ order: SalvageOrder) {
        if !change({ $0.salvages.append(order) }) {
            order.finish(.failure(StoreError.closed))
        }
    }

    /// Ends the thread.
    ///
    /// - Parameter finalFlush: Given, everything is written to files first, and it is told how that went.
    func stop(_ finalFlush: Finish? = nil) {
        let isTaken = change { orders in
            orders.isStopping = true
            orders.finalFlush = finalFlush
        }
        if !isTaken { finalFlush?(.failure(StoreError.closed)) }
    }

    /// Changes the orders unless the thread is ending.
    private func change(_ body: (inout Orders) -> Void) -> Bool {
        let isTaken = orders.withLock { orders in
            guard !orders.isStopping else { return false }
            body(&orders)
            return true
        }
        signal.notify()
        return isTaken
    }

    func take() -> Orders {
        orders.withLock { orders in
            let taken = orders
            orders.flushes = []
            orders.floors = []
            orders.deletions = []
            orders.pins = []
            orders.salvages = []
            orders.forgettings = []
            return taken
        }
    }
}

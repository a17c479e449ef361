import OrielStore
import OrielTelemetry

/// When streams leave memory: the store goes on with a registry that knows only those in use, and the labels of the former one leave hot.db with its redo.
///
/// In use are the streams of rows that are in no file yet, and of delta sums. Three things lead to it: a request that brings streams for which there is no room; a flush after
/// which half of the streams have had no rows for a while; and files whose streams, read for queries, take more than a cache may.
struct StreamForgetting {
    enum Extent: Sendable {
        /// All that are not in use, when that makes room for new ones.
        case forRoom
        /// All that are not in use.
        case everything
    }

    var orders: [MaintenanceRequests.ForgettingOrder] = []
    /// Streams in use stand in the way of new ones: when their rows are in files, they need not stay.
    var wantsFlush = false
    /// From then on a flush may be wanted again.
    fileprivate var nextFlush = Timestamp(nanoseconds: .min)
    /// Before that streams are not forgotten because they are idle or were read from files.
    fileprivate var pausedUntil = Timestamp(nanoseconds: .min)
    fileprivate var hasFlushed = false
    /// Finding out what is in use takes a while; until then, or the next flush, there is no room.
    fileprivate var refusesUntil = Timestamp(nanoseconds: .min)

    /// A stream without rows for so long is idle, in nanoseconds.
    static let idleTime: Int64 = 30 * 60_000_000_000
    /// Fewer streams are not worth it.
    static let leastCount = 4096
    fileprivate static let flushInterval: Int64 = 10_000_000_000
    fileprivate static let refusal: Int64 = 1_000_000_000
    fileprivate static let pause: Int64 = 60_000_000_000

    mutating func noteFlush() {
        hasFlushed = true
        refusesUntil = Timestamp(nanoseconds: .min)
    }

    mutating func noteClockSetBack(to now: Timestamp) {
        nextFlush = min(nextFlush, now.advanced(by: StreamForgetting.flushInterval))
        refusesUntil = min(refusesUntil, now.advanced(by: StreamForgetting.refusal))
        pausedUntil = min(pausedUntil, now.advanced(by: StreamForgetting.pause))
    }

    mutating func refuseOrders() { finishOrders(false) }

    fileprivate mutating func finishOrders(_ isDone: Bool) {
        let waiting = orders
        orders = []
        for order in waiting { order.finish(isDone) }
    }

    /// Whether the streams that were read from files take more than a cache of them may.
    ///
    /// Those in use have to come again, so forgetting must not cost more than reading did.
    static func isCacheFull(_ usage: StreamRegistry.Usage, limit: Int) -> Bool {
        usage.otherBytes > max(limit, usage.countedBytes)
    }

    /// Whether enough streams are idle.
    ///
    /// - Parameter used: Those that had rows lately.
    static func isWorthIt(_ usage: StreamRegistry.Usage, used: Int) -> Bool {
        usage.countedStreams >= leastCount && used * 2 <= usage.countedStreams
    }
}

extension Maintainer {
    /// Forgets streams when that was asked for or is due. What is being flushed is written with the references that it has, so a flush comes to its end first.
    ///
    /// - Returns: Whether there was something to do.
    func stepForgetting(_ now: Timestamp, _ maintainsItself: Bool) throws -> Bool {
        guard runningFlush == nil else { return false }
        guard forgetting.orders.isEmpty else { return try followForgettingOrders(now, maintainsItself) }
        guard maintainsItself, now >= forgetting.pausedUntil else { return false }
        let usage = core.registry.usage
        let isCacheFull = StreamForgetting.isCacheFull(usage, limit: core.options.streamCacheBytes)
        guard isCacheFull || (forgetting.hasFlushed && usage.countedStreams >= StreamForgetting.leastCount) else { return false }
        forgetting.hasFlushed = false
        let used = try core.perform { $0.streamUse }.references(since: now.advanced(by: -StreamForgetting.idleTime))
        guard isCacheFull || StreamForgetting.isWorthIt(usage, used: used.count) else { return false }
        forgetting.pausedUntil = now.advanced(by: StreamForgetting.pause)
        return try exchangeRegistry(keeping: used)
    }

    /// - Returns: Whether that is done.
    private func followForgettingOrders(_ now: Timestamp, _ maintainsItself: Bool) throws -> Bool {
        if !forgetting.orders.contains(where: { $0.extent == .everything }) {
            if !core.registry.isFull {
                // Whoever asked did so before others' orders made room.
                forgetting.finishOrders(true)
                return true
            }
            guard now >= forgetting.refusesUntil else {
                forgetting.finishOrders(false)
                return true
            }
            let share = try shareInUse()
            if share > 0.5, maintainsItself, now >= forgetting.nextFlush {
                forgetting.nextFlush = now.advanced(by: StreamForgetting.flushInterval)
                forgetting.wantsFlush = true
                return false
            }
            guard share <= 0.75 else {
                forgetting.refusesUntil = now.advanced(by: StreamForgetting.refusal)
                forgetting.finishOrders(false)
                return true
            }
        }
        do {
            forgetting.finishOrders(try exchangeRegistry(keeping: []))
            return true
        } catch {
            forgetting.finishOrders(false)
            throw error
        }
    }

    /// Which part of the room for streams those in use take.
    private func shareInUse() throws -> Double {
        let state = core.state
        var lists: [[StreamReference]] = [try core.perform { Array($0.sequencer.sums.keys) }]
        for signal in Signal.allCases {
            lists += state[signal].chunks.map(\.batch.streamIndexes)
            for run in state[signal].sealed { lists.append(try run.streamReferences()) }
        }
        let inUse = StreamOrdinals.distinct(lists)
        let limit = state.registry.limit
        return max(
            Double(inUse.count) / Double(max(1, limit.count)), Double(state.registry.byteCount(of: inUse)) / Double(max(1, limit.byteCount)))
    }

    /// Goes on with a registry that has the streams in use and some others.
    ///
    /// - Returns: Whether that can be done.
    private func exchangeRegistry(keeping kept: [StreamReference]) throws -> Bool {
        let former = core.registry
        let registry = core.emptyRegistry()
        _ = registry.adopt(kept, of: former, isCounted: true)
        // Or the next query would have to wait for it.
        if former.labels.isInUse { registry.labels.update(from: registry) }
        guard try core.perform({ committer in try committer.exchangeRegistry(for: registry) }) else { return false }
        takeOverPublishedFiles()
        core.crashPoints.reach(.registryExchanged)
        return true
    }

    /// Holds the live files with the references that the published record has them with.
    func takeOverPublishedFiles() {
        let state = core.state
        var published: [Int: any BlockContainer] = [:]
        for signal in Signal.allCases {
            for container in state[signal].segments { published[container.number] = container }
        }
        for (id, file) in live {
            if let container = published[file.container.number] { live[id]?.container = container }
        }
    }
}

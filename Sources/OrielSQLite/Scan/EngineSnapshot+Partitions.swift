import OrielStore
import OrielTelemetry

extension EngineSnapshot {
    func partitions(of plan: ScanPlan, count: Int) async throws(StoreError) -> [ScanPlan] {
        guard plan.limit == nil, count > 1 else { return [plan] }
        let budget = budget(deadline: plan.deadline)
        return try await workers.run(budget) { () throws(StoreError) -> [ScanPlan] in
            var partitioner = PlanPartitioner(plan: plan, state: state, registry: registry, budget: budget)
            return try partitioner.partitions(count)
        }
    }
}

/// Finds where to cut a plan, from block headers and stream tables alone: rows are taken to lie evenly between the ends of a block.
private struct PlanPartitioner {
    private let plan: ScanPlan
    private let state: PublishedState.SignalState
    private var context: ScanContext

    /// Points at which a block or a chunk is looked at.
    private static let pointsPerBlock = 16

    init(plan: ScanPlan, state: PublishedState, registry: StreamRegistry, budget: QueryBudget) {
        self.plan = plan
        self.state = state[plan.signal]
        context = ScanContext(plan: plan, floor: self.state.floor, tombstones: state.tombstones, budget: budget, registry: registry)
    }

    mutating func partitions(_ count: Int) throws(StoreError) -> [ScanPlan] {
        guard !context.bounds.isEmpty else { return [plan] }
        return plan.signal.isMetric
            ? plan.cut(atStreams: Self.cuts(try streams(), count)) : plan.cut(atTimes: Self.cuts(try times(), count))
    }

    /// Points that have about equally many rows between them, ascending and unique. None is the least point, before which there are no rows.
    private static func cuts<Point: Comparable>(_ points: [(point: Point, rows: Double)], _ count: Int) -> [Point] {
        let sorted = points.sorted { $0.point < $1.point }
        guard let first = sorted.first?.point else { return [] }
        let share = sorted.reduce(0) { $0 + $1.rows } / Double(count)
        var cuts: [Point] = []
        var passed = 0.0
        for (point, rows) in sorted {
            if cuts.count + 1 < count, passed >= share * Double(cuts.count + 1), point > cuts.last ?? first { cuts.append(point) }
            passed += rows
        }
        return cuts
    }

    private func headers(of container: any BlockContainer) -> [BlockHeader] {
        let bounds = context.bounds
        return container.blocks.filter { $0.rowCount > 0 && $0.minimumTime < bounds.upperBound && $0.maximumTime >= bounds.lowerBound }
    }

    private func times() throws(StoreError) -> [(point: Int64, rows: Double)] {
        var points: [(point: Int64, rows: Double)] = []
        func add(_ minimum: Int64, _ maximum: Int64, _ rowCount: Int) {
            let step = maximum.subtractingSaturating(minimum) / Int64(Self.pointsPerBlock)
            for number in 0..<Self.pointsPerBlock {
                let point = minimum + step * Int64(number)
                if context.bounds.contains(point) { points.append((point, Double(rowCount) / Double(Self.pointsPerBlock))) }
            }
        }
        for container in state.segments + state.sealed {
            try context.budget.check()
            for header in headers(of: container) { add(header.minimumTime, max(header.minimumTime, header.maximumTime), header.rowCount) }
        }
        for chunk in state.chunks where chunk.batch.count > 0 { add(chunk.minimumTime, chunk.maximumTime, chunk.batch.count) }
        return points
    }

    private mutating func streams() throws(StoreError) -> [(point: StreamID, rows: Double)] {
        var points: [(point: StreamID, rows: Double)] = []
        for container in state.segments + state.sealed {
            try context.budget.check()
            do throws(StoreError) {
                try addStreams(of: container, &points)
            } catch  where error.isDamage {
                // Noted by the container; where to cut is a guess anyway.
            }
        }
        for chunk in state.chunks where chunk.batch.count > 0 {
            let streams = chunk.batch.streamIndexes
            let step = max(1, streams.count / Self.pointsPerBlock)
            for row in stride(from: 0, to: streams.count, by: step) where context.filter.allows(streams[row]) {
                points.append((context.filter.id(of: streams[row]), Double(step)))
            }
        }
        return points
    }

    private mutating func addStreams(of container: any BlockContainer, _ points: inout [(point: StreamID, rows: Double)]) throws(StoreError) {
        let headers = headers(of: container)
        guard !headers.isEmpty else { return }
        let references = try container.streamReferences()
        let allowed = context.filter.ordinals(among: references)
        for header in headers {
            let first = allowed.firstIndex(notBelow: header.firstStream)
            var end = allowed.firstIndex(notBelow: header.lastStream)
            if end < allowed.count, allowed[end] == header.lastStream { end += 1 }
            guard first < end else { continue }
            let step = max(1, (end - first) / Self.pointsPerBlock)
            let rowsPerStream = Double(header.rowCount) / Double(header.lastStream - header.firstStream + 1)
            for index in stride(from: first, to: end, by: step) {
                points.append((context.filter.id(of: references[Int(allowed[index])]), rowsPerStream * Double(step)))
            }
        }
    }
}

import OrielTelemetry

/// The metrics of one pod of the shop: an encoded `ResourceMetrics` whose times and values are brought up to date before each request.
///
/// Counters grow, gauges walk, and histograms receive observations, so that the series compress as real ones do. A classic histogram counts as as many
/// rows as it has series: its buckets with the one to infinity, its sum and its count.
struct SamplePayload: Sendable {
    /// A number that changes, and where it is encoded.
    private struct Counter: Sendable {
        let offset: Int
        /// The expected growth in one interval.
        let rate: Double
        var value: Int64 = 0
    }

    private struct Gauge: Sendable {
        let offset: Int
        let step: Double
        var value: Double
    }

    private struct Histogram: Sendable {
        let countOffset: Int
        let sumOffset: Int
        let bucketsOffset: Int
        let rate: Double
        /// The bucket that most observations fall into.
        let centre: Int
        var buckets: [Int64]
        var sum = 0.0
    }

    static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private(set) var bytes: [UInt8]
    /// Samples that the message makes.
    let rows: Int
    private var times: [Int] = []
    private var counters: [Counter] = []
    private var gauges: [Gauge] = []
    private var histograms: [Histogram] = []
    private var random: SeededRandom

    /// - Parameter start: The start time of the cumulative series, in nanoseconds.
    init(shop: Shop, service: Int, pod: Int, seed: UInt64, start: Int64) {
        random = SeededRandom(seed: SeededRandom.mixed(seed ^ UInt64(service << 32 | pod)))
        var builder = SampleMessageBuilder(start: UInt64(start))
        for route in Shop.routes {
            for status: Int64 in [200, 404, 503] {
                builder.counter(
                    "http.server.requests", unit: "{request}",
                    [
                        Attribute("http.request.method", .string(route.method)), Attribute("http.route", .string(route.route)),
                        Attribute("http.response.status_code", .int(status)),
                    ], rate: status == 200 ? Double(random.integer(20...900)) : random.fraction() * 3)
            }
            builder.histogram(
                "http.server.request.duration", unit: "s",
                [Attribute("http.request.method", .string(route.method)), Attribute("http.route", .string(route.route))],
                rate: Double(random.integer(20...900)), centre: random.integer(2...6))
        }
        for pool in 0..<4 {
            builder.gauge(
                "db.client.connection.count", unit: "{connection}", [Attribute("db.client.connection.pool.name", .string("pool-\(pool)"))],
                value: Double(random.integer(2...40)), step: 1)
        }
        builder.gauge("process.memory.usage", unit: "By", [], value: Double(random.integer(50...900) * 1_048_576), step: 4096)
        builder.gauge("process.cpu.utilization", unit: "1", [], value: Double(random.integer(5...80)) / 100, step: 0.01)
        builder.gauge("nodejs.eventloop.delay.mean", unit: "s", [], value: 0.011, step: 0.0001)
        for generation in 0..<3 {
            builder.counter(
                "gc.collections", unit: "{collection}", [Attribute("gc.type", .string("gen-\(generation)"))], rate: Double(30 / (generation * 4 + 1)))
        }
        let message = builder.finish(resource: shop.resource(service: service, pod: pod))
        bytes = message.bytes
        rows = builder.rows
        for place in message.places {
            switch place {
            case .time(let offset): times.append(offset)
            case .counter(let offset, let rate): counters.append(Counter(offset: offset, rate: rate))
            case .gauge(let offset, let value, let step): gauges.append(Gauge(offset: offset, step: step, value: value))
            case .histogram(let count, let sum, let buckets, let rate, let centre):
                histograms.append(
                    Histogram(
                        countOffset: count, sumOffset: sum, bucketsOffset: buckets, rate: rate, centre: centre,
                        buckets: Array(repeating: 0, count: SamplePayload.bounds.count + 1)))
            }
        }
    }

    /// Moves all series on by one interval.
    ///
    /// - Parameter time: The time of the new samples, in nanoseconds.
    mutating func advance(to time: Int64) {
        for offset in times { bytes.store(UInt64(bitPattern: time), at: offset) }
        for index in counters.indices {
            counters[index].value &+= count(rate: counters[index].rate)
            bytes.store(UInt64(bitPattern: counters[index].value), at: counters[index].offset)
        }
        for index in gauges.indices {
            let steps = Double(Int64(random.next() % 5) - 2)
            let gauge = gauges[index]
            let value = max(0, ((gauge.value + steps * gauge.step) / gauge.step).rounded()) * gauge.step
            gauges[index].value = value
            bytes.store(value.bitPattern, at: gauge.offset)
        }
        for index in histograms.indices {
            let grown = advanced(histograms[index])
            histograms[index] = grown
        }
    }

    private mutating func advanced(_ histogram: Histogram) -> Histogram {
        var histogram = histogram
        let observations = count(rate: histogram.rate)
        var left = observations
        var distance = 0
        while left > 0 && distance < histogram.buckets.count {
            // Half of what is left falls into each bucket outward from the centre.
            let share = distance == histogram.buckets.count - 1 ? left : left - left / 2
            let bucket = (histogram.centre + (distance % 2 == 0 ? distance / 2 : -(distance + 1) / 2) + histogram.buckets.count) % histogram.buckets.count
            histogram.buckets[bucket] &+= share
            let bound = SamplePayload.bounds[min(bucket, SamplePayload.bounds.count - 1)]
            histogram.sum += Double(share) * bound * (0.5 + 0.5 * random.fraction())
            left -= share
            distance += 1
        }
        var total: Int64 = 0
        for (position, value) in histogram.buckets.enumerated() {
            bytes.store(UInt64(bitPattern: value), at: histogram.bucketsOffset + position * 8)
            total &+= value
        }
        bytes.store(UInt64(bitPattern: total), at: histogram.countOffset)
        bytes.store(histogram.sum.bitPattern, at: histogram.sumOffset)
        return histogram
    }

    /// How many events happen in an interval: near the rate, with the noise that traffic has.
    private mutating func count(rate: Double) -> Int64 {
        let noisy = rate * (0.7 + 0.6 * random.fraction())
        let whole = noisy.rounded(.down)
        return Int64(whole) + (random.chance(noisy - whole) ? 1 : 0)
    }
}

import OrielTelemetry

/// The key of the hash that makes stream ids: random for each store, so that nobody outside can choose streams that collide.
struct StreamSecret: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    /// The id of a stream from its canonical descriptor: metrics hash(name) 32 bits, hash(job, instance) 32, hash(all) 64; spans and logs hash(service) 64, hash(all) 64.
    func id(of descriptor: Span<UInt8>) -> StreamID {
        let all = SipHash.hash(descriptor, key0: high, key1: low)
        guard descriptor.count > 0 else { return StreamID(high: 0, low: all) }
        if descriptor[0] == StreamDescriptor.seriesMarker {
            let parts = metricParts(descriptor)
            return StreamID(high: parts.name << 32 | (parts.target & 0xFFFF_FFFF), low: all)
        }
        return StreamID(high: serviceHash(descriptor), low: all)
    }

    /// Hashes of the metric's name and of its job and instance. Malformed bytes end the walk; the full hash tells such streams apart.
    private func metricParts(_ descriptor: Span<UInt8>) -> (name: UInt64, target: UInt64) {
        var name: UInt64 = 0
        var target: UInt64 = 0
        var reader = WireReader(start: 1, end: descriptor.count)
        do {
            while let tag = try reader.nextTag(in: descriptor) {
                guard tag.wireType == 2 else { break }
                let label = descriptor.extracting(try reader.lengthDelimited(in: descriptor))
                var fields = WireReader(start: 0, end: label.count)
                guard try fields.nextTag(in: label) != nil else { break }
                let key = label.extracting(try fields.lengthDelimited(in: label))
                if key.isEqual(to: StreamSecret.metricNameKey.span) {
                    name = SipHash.hash(label, key0: high, key1: low)
                } else if key.isEqual(to: StreamSecret.jobKey.span) || key.isEqual(to: StreamSecret.instanceKey.span) {
                    target = (target << 1) ^ SipHash.hash(label, key0: high, key1: low)
                }
            }
        } catch {
            return (name, target)
        }
        return (name & 0xFFFF_FFFF, target)
    }

    /// The hash of the resource's `service.name` attribute as a whole, or 0.
    private func serviceHash(_ descriptor: Span<UInt8>) -> UInt64 {
        var reader = WireReader(start: 1, end: descriptor.count)
        do {
            while let tag = try reader.nextTag(in: descriptor) {
                guard tag.wireType == 2 else { return 0 }
                let content = descriptor.extracting(try reader.lengthDelimited(in: descriptor))
                guard tag.number == 1 else { continue }
                var fields = WireReader(start: 0, end: content.count)
                while let field = try fields.nextTag(in: content) {
                    guard field.number == 1, field.wireType == 2 else {
                        try fields.skip(field, in: content)
                        continue
                    }
                    let attribute = content.extracting(try fields.lengthDelimited(in: content))
                    var parts = WireReader(start: 0, end: attribute.count)
                    guard try parts.nextTag(in: attribute) != nil else { continue }
                    let key = attribute.extracting(try parts.lengthDelimited(in: attribute))
                    if key.isEqual(to: StreamSecret.serviceNameKey.span) { return SipHash.hash(attribute, key0: high, key1: low) }
                }
            }
        } catch {
            return 0
        }
        return 0
    }

    private static let metricNameKey = Array("__name__".utf8)
    private static let jobKey = Array("job".utf8)
    private static let instanceKey = Array("instance".utf8)
    private static let serviceNameKey = Array("service.name".utf8)
}

extension Double {
    /// Prometheus' staleness marker: a NaN with this exact payload says "the series ended here".
    public static let staleMarker = Double(bitPattern: 0x7ff0_0000_0000_0002)

    /// Whether this is the staleness marker, bit for bit. Any other NaN is a value.
    @inlinable
    public var isStaleMarker: Bool { bitPattern == 0x7ff0_0000_0000_0002 }
}

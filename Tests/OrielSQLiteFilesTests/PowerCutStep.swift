#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// After how many operations the power is cut next: as a test says, or after each one with `ORIEL_ALL_POWER_CUTS=1`, which takes some minutes in all.
func powerCutStep(_ usual: Int) -> Int {
    unsafe getenv("ORIEL_ALL_POWER_CUTS") == nil ? usual : 1
}

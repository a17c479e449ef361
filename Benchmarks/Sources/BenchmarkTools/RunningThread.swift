import Glibc

/// A thread of the system.
public struct RunningThread {
    private let thread: pthread_t

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// `nil` when the system has none to give.
    public init?(_ run: @escaping @Sendable () -> Void) {
        var created = pthread_t()
        let body = unsafe Unmanaged.passRetained(Body(run: run))
        let code = unsafe pthread_create(
            &created, nil,
            { context in
                // The thread takes over the reference that its maker retained for it.
                if let context = unsafe context { unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            unsafe body.release()
            return nil
        }
        thread = created
    }

    /// Waits for its end.
    public func join() { pthread_join(thread, nil) }
}

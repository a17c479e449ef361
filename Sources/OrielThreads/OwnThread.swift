import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// An operating system thread with a name, outside the cooperative pool: for what blocks on disks or computes for long.
///
/// It takes no signals that are meant for the process: they are for the threads of the program, which may wait for them.
@safe
package final class OwnThread: Sendable {
    /// The thread as an integer, 0 when it was joined.
    private let thread: Mutex<UInt>

    private final class Body: Sendable {
        let name: String
        let nice: Int32
        let run: @Sendable () -> Void

        init(name: String, nice: Int32, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.nice = nice
            self.run = run
        }
    }

    /// Starts a thread that calls `body` once.
    ///
    /// - Parameters:
    ///   - name: What debuggers and `top` show; the system cuts it to 15 bytes.
    ///   - nice: What is added to the process's nice value: 0 is normal, 19 most patient.
    /// - Throws: When the system has no thread to give.
    package init(name: String, nice: Int32 = 0, _ body: @escaping @Sendable () -> Void) throws(ThreadError) {
        let retained = unsafe Unmanaged.passRetained(Body(name: name, nice: nice, run: body))
        #if canImport(Darwin)
        var created: pthread_t?
        #else
        var created = pthread_t()
        #endif
        // A thread begins with the signals blocked that its maker has blocked.
        var blocked = Self.signals
        var before = sigset_t()
        let isBlocked = unsafe pthread_sigmask(SIG_SETMASK, &blocked, &before) == 0
        let code = unsafe pthread_create(
            &created, nil,
            { context in
                #if canImport(Darwin)
                let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                unsafe pthread_setname_np(body.name)
                #else
                guard let context = unsafe context else { return nil }
                // The thread takes over the reference that its maker retained for it.
                let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                nameThisThread(body.name)
                if body.nice != 0 {
                    // On Linux this is the nice value of the calling thread. To be more patient needs no right, and a failure only costs patience.
                    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, body.nice)
                }
                #endif
                body.run()
                return nil
            }, retained.toOpaque())
        if isBlocked { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        guard code == 0 else {
            unsafe retained.release()
            throw ThreadError(name: name, number: code)
        }
        #if canImport(Darwin)
        thread = Mutex(UInt(bitPattern: created))
        #else
        thread = Mutex(UInt(created))
        #endif
    }

    /// All signals but those that a thread causes itself, which a handler of crashes waits for, and the one by which Swift's handler of crashes and profilers stop threads.
    private static var signals: sigset_t {
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        for signal in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF] { unsafe sigdelset(&signals, signal) }
        return signals
    }

    deinit {
        let bits = thread.withLock { $0 }
        guard bits != 0 else { return }
        #if canImport(Darwin)
        if let thread = unsafe pthread_t(bitPattern: bits) { unsafe pthread_detach(thread) }
        #else
        pthread_detach(pthread_t(bits))
        #endif
    }

    /// Tells the calling thread from all others that run; never 0. A later thread may have the number of one that has ended.
    package static var currentNumber: UInt {
        #if canImport(Darwin)
        UInt(bitPattern: pthread_self())
        #else
        UInt(pthread_self())
        #endif
    }

    /// Waits until the thread has ended. Must not be called from the thread itself.
    package func join() {
        let bits = thread.withLock { bits in
            defer { bits = 0 }
            return bits
        }
        guard bits != 0 else { return }
        #if canImport(Darwin)
        if let thread = unsafe pthread_t(bitPattern: bits) { unsafe pthread_join(thread, nil) }
        #else
        pthread_join(pthread_t(bits), nil)
        #endif
    }
}

/// The system did not give a thread.
package struct ThreadError: Error, Sendable, CustomStringConvertible {
    package let name: String
    /// The error number of the system.
    package let number: Int32

    package var description: String {
        "thread \(name) cannot start: error \(number)"
    }
}

#if !canImport(Darwin)
/// Names the calling thread through the file that Linux has for it: the C function is hidden from Swift.
private func nameThisThread(_ name: String) {
    let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    // The name only helps who looks at the process, so a system without that file goes without.
    guard file >= 0 else { return }
    let bytes = Array(name.utf8.prefix(15))
    _ = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
    close(file)
}
#endif

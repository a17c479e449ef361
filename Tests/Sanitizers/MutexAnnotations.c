// Tells ThreadSanitizer what the slow paths of Synchronization.Mutex do.
//
// Locking and unlocking without contention is compiled into our own code and seen. Under contention it happens in libswiftSynchronization, which is not
// instrumented: without these functions every contended mutex looks as if it guarded nothing. The linker binds our code to them instead of the library's.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

typedef SWIFT void (*LockSlow)(uint32_t thread, SELF self);
typedef SWIFT bool (*TryLockSlow)(SELF self);
typedef SWIFT void (*UnlockSlow)(SELF self);

static void *original(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

SWIFT void lockSlow(uint32_t thread, SELF self) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void lockSlow(uint32_t thread, SELF self) {
    ((LockSlow)original("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"))(thread, self);
    __tsan_acquire(self);
}

SWIFT bool tryLockSlow(SELF self) __asm__("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");
SWIFT bool tryLockSlow(SELF self) {
    bool isLocked = ((TryLockSlow)original("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"))(self);
    if (isLocked) __tsan_acquire(self);
    return isLocked;
}

SWIFT void unlockSlow(SELF self) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
SWIFT void unlockSlow(SELF self) {
    __tsan_release(self);
    ((UnlockSlow)original("$s15Synchronization12_MutexHandleV11_unlockSlowyyF"))(self);
}

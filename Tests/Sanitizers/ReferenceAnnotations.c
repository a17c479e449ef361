// Tells ThreadSanitizer that an object may be changed in place once its other owners have let it go.
//
// That is how arrays, dictionaries and strings are copied on write: one thread copies a value under a lock, reads it without, and releases it; another one then finds that it is
// the only owner and writes into the same memory. What orders the two is the reference count, which is counted in the runtime, and that is not instrumented: without these
// functions each such read looks like a race with the write. The linker binds our code to them instead of the runtime's.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

// They are called for each reference that our code lets go, and have no memory of their own to be watched.
#define UNWATCHED __attribute__((no_sanitize("thread")))

// The runtime's function of that name, looked up once.
#define ORIGINAL(type, name)                                                                                                                                   \
    ({                                                                                                                                                         \
        static type known;                                                                                                                                     \
        type found = __atomic_load_n(&known, __ATOMIC_RELAXED);                                                                                                \
        if (!found) {                                                                                                                                          \
            found = (type)dlsym(RTLD_NEXT, #name);                                                                                                             \
            if (!found) abort();                                                                                                                               \
            __atomic_store_n(&known, found, __ATOMIC_RELAXED);                                                                                                 \
        }                                                                                                                                                      \
        found;                                                                                                                                                 \
    })

typedef void (*Release)(void *);
typedef void (*ReleaseMany)(void *, uint32_t);
typedef bool (*IsUnique)(const void *);

// Null and, by the top bit, what is no object but kept where one could be.
UNWATCHED static void release(void *object) {
    if ((intptr_t)object > 0) __tsan_release(object);
}

// Bridge objects, as strings have, keep flags in the bits that addresses do not use.
UNWATCHED static void *object(void *bridge) {
    return (intptr_t)bridge > 0 ? (void *)((uintptr_t)bridge & 0x00fffffffffffff8) : NULL;
}

UNWATCHED void swift_release(void *reference) {
    release(reference);
    ORIGINAL(Release, swift_release)(reference);
}

UNWATCHED void swift_release_n(void *reference, uint32_t count) {
    release(reference);
    ORIGINAL(ReleaseMany, swift_release_n)(reference, count);
}

UNWATCHED void swift_bridgeObjectRelease(void *bridge) {
    release(object(bridge));
    ORIGINAL(Release, swift_bridgeObjectRelease)(bridge);
}

UNWATCHED void swift_bridgeObjectRelease_n(void *bridge, uint32_t count) {
    release(object(bridge));
    ORIGINAL(ReleaseMany, swift_bridgeObjectRelease_n)(bridge, count);
}

UNWATCHED bool swift_isUniquelyReferenced_native(const void *reference) {
    bool isUnique = ORIGINAL(IsUnique, swift_isUniquelyReferenced_native)(reference);
    if (isUnique) __tsan_acquire((void *)reference);
    return isUnique;
}

UNWATCHED bool swift_isUniquelyReferenced_nonNull_native(const void *reference) {
    bool isUnique = ORIGINAL(IsUnique, swift_isUniquelyReferenced_nonNull_native)(reference);
    if (isUnique) __tsan_acquire((void *)reference);
    return isUnique;
}

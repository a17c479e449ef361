#ifndef ORIEL_MALLOC_COUNTER_H
#define ORIEL_MALLOC_COUNTER_H

/// How many allocations the calling thread has made.
unsigned long malloc_counter_calls(void);

#endif

#include "CRevision.h"

// Package.swift defines it from the environment variable of that name.
#ifndef ORIEL_REVISION
#define ORIEL_REVISION ""
#endif

const char *oriel_revision(void) {
    return ORIEL_REVISION;
}

#ifndef CREVISION_H
#define CREVISION_H

/// The commit that the program is built from, or an empty string if the build did not tell. It lives as long as the program.
const char *oriel_revision(void);

#endif

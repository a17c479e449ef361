import CSQLite

/// The C library below the store, for whoever reports what a process runs on.
public enum SQLiteLibrary {
    /// Its version, such as "3.40.1".
    public static var version: String { Connection.libraryVersion }

    /// How the library was built and how the store uses it: each connection belongs to one thread at a time and takes no locks of its own.
    public static var threading: String {
        switch sqlite3_threadsafe() {
        case 0: "single-thread"
        case 2: "multi-thread"
        default: "serialized, connections opened as multi-thread"
        }
    }
}

import Glibc

/// How long tests with damaged input run.
enum Fuzz {
    /// How many times as many rounds as in the normal run: `ORIEL_TEST_ROUNDS`, 1 by default.
    static let rounds: Int = {
        // Nothing sets variables while tests run, so the text stays where it is.
        guard let text = unsafe getenv("ORIEL_TEST_ROUNDS") else { return 1 }
        return Int(unsafe String(cString: text)).map { max(1, $0) } ?? 1
    }()
}

/// The memory that one answer takes, out of what all answers may hold together: from the first row that is written until the peer has taken it all.
struct AnswerMemory: Sendable {
    /// `nil` when nothing bounds it.
    let reservation: AdmissionReservation?

    /// Notes that the answer has grown to so many bytes.
    ///
    /// - Throws: 503 when other answers hold what is left.
    func hold(_ bytes: Int) throws(APIError) {
        guard let reservation, bytes > reservation.bytes else { return }
        try add(bytes - reservation.bytes)
    }

    /// Notes that so many bytes more are needed. Tasks that write parts of an answer call it at the same time.
    ///
    /// - Throws: 503 when other answers hold what is left.
    func add(_ bytes: Int) throws(APIError) {
        guard let reservation, bytes > 0 else { return }
        guard reservation.grow(by: bytes) else {
            throw APIError(status: 503, "other answers hold the memory that answers may take; retry in a moment", retryAfterSeconds: 1)
        }
    }

    /// Gives back what was added before.
    func remove(_ bytes: Int) { reservation?.shrink(by: bytes) }
}

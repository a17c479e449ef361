/// The memory that one answer takes, out of what all answers may hold together: from the first row that is written until the peer has taken it all.
struct AnswerMemory: Sendable {
    /// `nil` when nothing bounds it.
    let reservation: AdmissionReservation?

    /// Notes that the answer has grown to so many bytes.
    ///
    /// - Throws: 503 when other answers hold what is left.
    func hold(_ bytes: Int) throws(APIError) {
        guard let reservation, bytes > reservation.bytes else { return }
        guard reservation.grow(by: bytes - reservation.bytes) else {
            throw APIError(status: 503, "other answers hold the memory that answers may take; retry in a moment", retryAfterSeconds: 1)
        }
    }
}

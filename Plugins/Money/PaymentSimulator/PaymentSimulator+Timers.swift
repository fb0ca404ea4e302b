// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TheatreContracts
import TheatrePlugin

/// What happens later: payers pay, refunds arrive, notifications go out. Each timer may fire again after a crash.
extension PaymentSimulator {
    func fire(_ request: HostFireRequest, _ call: Call) async throws -> HostFireResponse {
        let name = request.name
        let number = String(name.drop { $0 != ":" }.dropFirst())
        if name.hasPrefix("pay:") {
            try await pay(number, call)
        } else if name.hasPrefix("refund:") {
            try await giveBack(number, call)
        } else if name.hasPrefix("notify:") {
            try await notify(number, call)
        }
        return HostFireResponse()
    }

    private func pay(_ number: String, _ call: Call) async throws {
        let now = host.now
        let notice = try await database(call).write { tx -> Notice? in
            guard let row = try await tx.run(PaymentSimulatorStore.payment, number).first else { return nil }
            var payment = try PaymentSimulatorStore.payment(row)
            if payment.settle(at: now) {
                try await PaymentSimulatorStore.update(payment, in: tx)
                if payment.status != .closed, payment.fault != .drop {
                    let id = ULID.next(prefix: "ntf", at: now)
                    let notice = Notice(
                        id: id, notifyURL: payment.notifyURL, body: try NoticeBody.payment(payment, id: id).json(),
                        forges: payment.fault == .forge ? 1 : 0, deliveries: Int64(payment.fault.deliveries),
                        delivered: 0, attempts: 0, dueAt: now + payment.fault.notifyingDelay)
                    try await PaymentSimulatorStore.insert(notice, about: "payment:\(number)", in: tx)
                }
            }
            return try await Self.open("payment:\(number)", in: tx)
        }
        if let notice { try await schedule("notify:\(notice.id)", at: notice.dueAt, call) }
    }

    private func giveBack(_ number: String, _ call: Call) async throws {
        let now = host.now
        let notice = try await database(call).write { tx -> Notice? in
            guard let row = try await tx.run(PaymentSimulatorStore.refund, number).first else { return nil }
            var refund = try PaymentSimulatorStore.refund(row)
            guard let row = try await tx.run(PaymentSimulatorStore.payment, refund.paymentNumber).first else {
                return nil
            }
            let payment = try PaymentSimulatorStore.payment(row)
            if refund.status == .pending {
                refund.status = payment.fault == .refundFail ? .failed : .succeeded
                try await tx.run(
                    "UPDATE {refunds} SET status = ?2 WHERE tenant = :tenant AND number = ?1", expect: 1, number,
                    refund.status.rawValue)
                if payment.fault != .drop {
                    let id = ULID.next(prefix: "ntf", at: now)
                    let notice = Notice(
                        id: id, notifyURL: payment.notifyURL, body: try NoticeBody.refund(refund, id: id).json(),
                        forges: 0,
                        deliveries: Int64(payment.fault.deliveries), delivered: 0, attempts: 0, dueAt: now)
                    try await PaymentSimulatorStore.insert(notice, about: "refund:\(number)", in: tx)
                }
            }
            return try await Self.open("refund:\(number)", in: tx)
        }
        if let notice { try await schedule("notify:\(notice.id)", at: notice.dueAt, call) }
    }

    /// The notification about something, where it was not taken yet: a crash may have come before its timer.
    private nonisolated(nonsending) static func open(_ subject: String, in tx: Transaction) async throws -> Notice? {
        let rows = try await tx.run("SELECT id FROM {notices} WHERE tenant = :tenant AND subject = ?1", subject)
        guard let id = try rows.first?.text("id"), let row = try await tx.run(PaymentSimulatorStore.notice, id).first
        else { return nil }
        let notice = try PaymentSimulatorStore.notice(row)
        return notice.isOver ? nil : notice
    }

    private func notify(_ id: String, _ call: Call) async throws {
        guard let row = try await database(call).read(PaymentSimulatorStore.notice, id).first else { return }
        var notice = try PaymentSimulatorStore.notice(row)
        guard !notice.isOver else { return }
        if notice.forges > 0 {
            _ = try await isTaken(notice, forged: true, call)
            notice.forges -= 1
        }
        let taken = try await isTaken(notice, forged: false, call)
        let wait = notice.answered(taken: taken, retries: configuration.retries)
        if let wait { notice.dueAt = host.now + wait }
        let answered = notice
        _ = try await database(call).write { tx in
            try await tx.run(
                """
                UPDATE {notices} SET forges = ?2, delivered = ?3, attempts = ?4, due_at = ?5
                WHERE tenant = :tenant AND id = ?1
                """, expect: 1, id, answered.forges, answered.delivered, answered.attempts, answered.dueAt)
        }
        if wait != nil {
            try await schedule("notify:\(id)", at: answered.dueAt, call)
        } else if !taken {
            host.log.warning("a notification was given up", ["notification.id": id])
        }
    }

    /// Sends it once. Taken is 2xx and `OK`; no answer is as good as a refusal.
    private func isTaken(_ notice: Notice, forged: Bool, _ call: Call) async throws -> Bool {
        var request = HostFetchRequest()
        request.method = "POST"
        request.url = notice.notifyURL
        request.headers = try await Signature.headers(for: notice.body, at: host.now, forged: forged, call)
        request.body = Data(notice.body.utf8)
        request.timeoutMs = 5000
        request.maxResponseBytes = 65_536
        do {
            let answer = try await HostEgressClient(call).fetch(request)
            return (200..<300).contains(answer.status) && answer.body == Data("OK".utf8)
        } catch let error as PluginError {
            host.log.debug("a notification got no answer", ["notification.id": notice.id, "reason": error.reason])
            return false
        }
    }
}

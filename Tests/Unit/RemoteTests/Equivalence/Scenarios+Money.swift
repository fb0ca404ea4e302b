// TheatreOS
// SPDX-License-Identifier: Apache-2.0

extension Scenarios {
    static let money = [
        Scenario(
            "theatre.ledger.v1.Ledger", by: "Ledger",
            [
                .call("Post", mint("mint-1", 100), as: "entry"),
                .call("Post", mint("mint-1", 100)),
                .refused("Post", "ledger.key_reused", mint("mint-1", 101)),
                .refused("Post", "ledger.insufficient_funds", mint("mint-2", -500)),
                .refused("Post", "ledger.count", #"{"key": "k"}"#),
                .call("FindEntry", #"{"key": "mint-1"}"#),
                .refused("FindEntry", "ledger.no_entry", #"{"key": "nowhere"}"#),
                .call("Hold", hold("hold-1", 30)),
                .call("Hold", hold("hold-2", 20)),
                .refused("Hold", "ledger.insufficient_funds", hold("hold-3", 60)),
                .call("FindHold", #"{"key": "hold-1"}"#),
                .refused("FindHold", "ledger.no_hold", #"{"key": "nowhere"}"#),
                .call("Settle", #"{"key": "hold-1", "amount": 25, "to": "system:revenue:CHIP", "memo": "done"}"#),
                .call("Void", #"{"key": "hold-2"}"#),
                .refused(
                    "Settle", "ledger.hold_voided", #"{"key": "hold-2", "amount": 1, "to": "system:revenue:CHIP"}"#),
                .call("GetBalance", #"{"account": "user:usr_1:CHIP"}"#),
                .refused("GetBalance", "ledger.bad_account", #"{"account": "nobody"}"#),
                .call("Verify", "{}"),
                .call("GetWallet", "{}"),
                .call("ListWalletEntries", #"{"limit": 1}"#, as: "page"),
                .call("ListWalletEntries", #"{"limit": 1, "cursor": "$page.next_cursor"}"#),
            ]),
        Scenario(
            "theatre.host.v1.Target", by: "PaymentSimulator",
            [
                .call("theatre.payment.v1.Provider/CreatePayment", payment("timer-01", 100)),
                .call("Fire", #"{"name": "pay:timer-01"}"#),
                .call("theatre.payment.v1.Provider/QueryPayment", #"{"number": "timer-01"}"#),
                .call("Fire", #"{"name": "pay:nowhere"}"#),
                .call("Fire", #"{"name": "what is this"}"#),
            ]),
        Scenario(
            "theatre.payment.v1.Provider", by: "PaymentSimulator",
            [
                .call("CreatePayment", payment("pay-01", 250)),
                .call("CreatePayment", payment("pay-01", 250)),
                .refused("CreatePayment", "payment.number_reused", payment("pay-01", 251)),
                .refused("CreatePayment", "payment.bad_request", payment("pay-02", -1)),
                .call("QueryPayment", #"{"number": "pay-01"}"#),
                .refused("QueryPayment", "payment.unknown", #"{"number": "nowhere"}"#),
                .refused("CreateRefund", "payment.not_paid", refund("refund-01", 100)),
                .call("theatre.host.v1.Target/Fire", #"{"name": "pay:pay-01"}"#),
                .call("CreateRefund", refund("refund-01", 100)),
                .refused("CreateRefund", "payment.refund_exceeds", refund("refund-02", 200)),
                .call("QueryRefund", #"{"refund_number": "refund-01"}"#),
                .refused("QueryRefund", "payment.unknown_refund", #"{"refund_number": "nowhere"}"#),
                .refused("ClosePayment", "payment.paid", #"{"number": "pay-01"}"#),
                .call("CreatePayment", payment("pay-03", 1)),
                .call("ClosePayment", #"{"number": "pay-03"}"#),
                .refused(
                    "VerifyNotification", "payment.bad_signature", #"{"request": {"method": "POST", "path": "/n"}}"#),
            ]),
        Scenario(
            "theatre.orders.v1.Orders", by: "Orders",
            [
                .call("CreateOrder", #"{"chips": 5, "currency": "CNY"}"#, as: "order"),
                .refused("CreateOrder", "orders.currency", #"{"chips": 5, "currency": "ZZZ"}"#),
                .refused("CreateOrder", "orders.no_principal", #"{"chips": 5, "currency": "CNY"}"#, by: ""),
                .call("GetOrder", #"{"order_id": "$order.id"}"#),
                .refused("GetOrder", "orders.not_found", #"{"order_id": "$order.id"}"#, by: "usr_2"),
                .refused("RefundOrder", "orders.not_refundable", #"{"order_id": "$order.id", "amount": 10}"#),
                .call("PayOrder", #"{"order_id": "$order.id", "channel": "native"}"#, as: "paying"),
                .call("theatre.host.v1.Target/Fire", #"{"name": "attempt:nowhere"}"#),
                .call(
                    "with-paymentsimulator:theatre.host.v1.Target/Fire",
                    #"{"name": ["pay:", "$paying.attempt.number"]}"#),
                .call("theatre.host.v1.Target/Fire", #"{"name": ["attempt:", "$paying.attempt.number"]}"#),
                .call("GetOrder", #"{"order_id": "$order.id"}"#),
                .refused("RefundOrder", "orders.refund_exceeds", #"{"order_id": "$order.id", "amount": 51}"#),
                .call("RefundOrder", #"{"order_id": "$order.id", "amount": 10, "reason": "rain"}"#),
                .refused("RefundOrder", "orders.not_found", #"{"order_id": "ord_nowhere", "amount": 10}"#),
            ]),
    ]

    private static func mint(_ key: String, _ amount: Int) -> String {
        """
        {"key": "\(key)", "memo": "a gift", "postings": [
            {"account": "user:usr_1:CHIP", "amount": \(amount), "currency": "CHIP"},
            {"account": "system:issued:CHIP", "amount": \(-amount), "currency": "CHIP"}]}
        """
    }

    private static func hold(_ key: String, _ amount: Int) -> String {
        """
        {"key": "\(key)", "account": "user:usr_1:CHIP", "amount": {"amount": \(amount), "currency": "CHIP"},
         "expires_at": 4102444800000}
        """
    }

    private static func payment(_ number: String, _ amount: Int) -> String {
        """
        {"number": "\(number)", "amount": {"amount": \(amount), "currency": "CNY"}, "description": "戏票",
         "notify_url": "http://127.0.0.1:8080/api/v1/payments/simulator/notify", "channel": "native"}
        """
    }

    private static func refund(_ number: String, _ amount: Int) -> String {
        """
        {"payment_number": "pay-01", "refund_number": "\(number)", "amount": {"amount": \(amount), "currency": "CNY"},
         "total": {"amount": 250, "currency": "CNY"}, "reason": "rain"}
        """
    }
}

// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatreManifest

/// The tour against a server of which one thing is not as it should be.
@Suite(.serialized) struct TourTests {
    /// A deviation, and what the tour says of it.
    struct Deviation: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let said: String
        let rule: DeviatingProxy.Rule

        init(_ name: String, said: String, _ rule: DeviatingProxy.Rule) {
            testDescription = name
            self.said = said
            self.rule = rule
        }

        /// One that changes the answers to a request whose place ends so.
        init(
            _ name: String, said: String, _ place: String, after count: Int = 0,
            _ change: @escaping @Sendable (inout Int, inout JSONValue) -> Void
        ) {
            self.init(
                name, said: said,
                DeviatingProxy.Rule(
                    answer: { request, number, status, body in
                        if request.hasSuffix(place), number > count { change(&status, &body) }
                    }))
        }
    }

    static let deviations = [
        Deviation("a wrong password is let in", said: "a wrong password answered 200, not 401", "/auth/login") { s, _ in
            s = 200
        },
        Deviation("registering fails", said: "POST /api/v1/auth/register answered 500, 201 was expected", "/register") {
            status, _ in status = 500
        },
        Deviation("somebody else is signed in", said: "/api/v1/me is someone else", "GET /api/v1/me") { _, body in
            body = body.setting("email", .string("other@example.com"))
        },
        Deviation(
            "one key orders twice", said: "the same key and body answered other bytes", "POST /api/v1/orders", after: 1
        ) { _, body in body = body.setting("id", .string("ord_another")) },
        Deviation("the amount is wrong", said: "the wallet has 121 CHIP, 120 were bought", "/me/wallet") { _, body in
            body = body.changing("balances") { $0.changing("balance") { .integer(($0.integer ?? 0) + 1) } }
        },
        Deviation(
            "the payment has no success", said: "the order is fulfilled but its attempt is not SUCCESS",
            DeviatingProxy.Rule(
                answer: { request, _, _, body in
                    guard request.hasPrefix("GET /api/v1/orders/") else { return }
                    body = body.changing("attempt") { $0.setting("status", .string("UNKNOWN")) }
                })),
        Deviation(
            "the run is not done", said: "the run is not SUCCEEDED",
            DeviatingProxy.Rule(
                answer: { request, _, _, body in
                    guard request.hasPrefix("GET /api/v1/runs/") else { return }
                    body = body.setting("status", .string("RUNNING"))
                })),
        Deviation(
            "an event is missing", said: "the run succeeded without telling of draft.outlined",
            DeviatingProxy.Rule(event: { $0.contains("event: draft.outlined") ? nil : $0 })),
        Deviation(
            "the run fails", said: "the run ended with draft.failed",
            DeviatingProxy.Rule(event: { $0.replacing("event: draft.succeeded", with: "event: draft.failed") })),
        Deviation(
            "the stream ends early", said: "the event stream ended before the run did",
            DeviatingProxy.Rule(events: 1)),
        Deviation("there are no scenes", said: "the run has no scenes", "/scenes") { _, body in
            body = body.setting("items", .array([]))
        },
        Deviation(
            "there are no findings", said: "nothing in the chapter that ships was found to be of another time",
            "/scenes"
        ) { _, body in body = body.changing("items") { $0.setting("findings", .array([])) } },
        Deviation("the inbox is empty", said: "the inbox has no message of the run", "/me/inbox") { _, body in
            body = body.setting("items", .array([]))
        },
        Deviation("the messages are of another run", said: "the inbox has no message of the run", "/me/inbox") {
            _, body in
            body = body.changing("items") { $0.setting("data", .object(["run_id": .string("run_other")])) }
        },
        Deviation("an entry is missing", said: "the entries sum to", "/wallet/entries") { _, body in
            body = body.setting("items", .array(Array((body["items"]?.array ?? []).dropLast())))
        },
    ]

    @Test(arguments: deviations) func itEndsWithOneAndSaysWhatIsNotAsItShouldBe(_ deviation: Deviation) async throws {
        let server = try await ServerProcess.start(Sources.defaultDeployment)
        let proxy = try DeviatingProxy(server.url, deviation.rule)
        let tour = try await theatre(["tour", "--server", proxy.url], seconds: 180)
        #expect(tour.status == 1, "\(tour.output)")
        let told = tour.output.split(separator: "\n").last { $0.contains("the tour failed: ") } ?? ""
        #expect(told.contains(deviation.said), "\(tour.output)")
        #expect(!tour.output.contains("All as it should be."))
        try proxy.stop()
        try await server.stop()
    }

    /// What changes nothing is in nobody's way, so it is the deviation that the others end by.
    @Test func throughAProxyThatChangesNothingAllIsAsItShouldBe() async throws {
        let server = try await ServerProcess.start(Sources.defaultDeployment)
        let proxy = try DeviatingProxy(server.url, DeviatingProxy.Rule())
        let tour = try await theatre(["tour", "--server", proxy.url], seconds: 180)
        #expect(tour.status == 0, "\(tour.output)")
        #expect(tour.output.contains("All as it should be."))
        try proxy.stop()
        try await server.stop()
    }
}

extension JSONValue {
    /// An object with a member replaced.
    func setting(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[name] = value
        return .object(members)
    }

    /// An object with a member changed, or with each element of it where that is a list.
    func changing(_ name: String, _ change: (JSONValue) -> JSONValue) -> JSONValue {
        guard let member = self[name] else { return self }
        return setting(name, member.array.map { .array($0.map(change)) } ?? change(member))
    }
}

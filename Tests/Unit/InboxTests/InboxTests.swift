// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import Testing
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// The plugin as its callers see it, over the real database.
struct InboxTests {
    let host: TestHost

    init() async throws { host = try await .withInbox(#"{"keep": 100}"#) }

    private var channel: NotificationChannelClient { host.channel }

    private func inbox(_ user: String = "usr_1", tenant: String = "default") -> InboxClient {
        InboxClient(host.scope(principal: user, tenant: tenant), feature: "inbox")
    }

    private func message(_ id: String, user: String = "usr_1") -> NotificationSendRequest {
        .with {
            $0.messageID = id
            $0.user = user
            $0.category = "draft.finished"
            $0.title = "灯下无影"
            $0.body = "12 场已写完。"
            $0.data = #"{"run_id":"run_1"}"#
        }
    }

    private func reason(_ body: () async throws -> some Sendable) async -> String? {
        do {
            _ = try await body()
            return nil
        } catch let error as PluginError {
            return error.reason
        } catch {
            Issue.record(error)
            return nil
        }
    }

    @Test func messageIsStoredOnceAndReturnedWithItsData() async throws {
        let first = try await channel.send(message("m1"))
        host.advance(milliseconds: 5000)
        #expect(try await channel.send(message("m1")) == first)
        let page = try await inbox().listMessages(InboxListMessagesRequest())
        #expect(page.items.count == 1 && page.unread == 1 && page.nextCursor.isEmpty)
        let stored = try #require(page.items.first)
        #expect(stored.id == first.providerReference && stored.at == first.at && !stored.read)
        #expect(stored.data == #"{"run_id":"run_1"}"# && stored.category == "draft.finished")
        #expect(stored.title == "灯下无影" && stored.body == "12 场已写完。")
        #expect(host.violations.isEmpty)
    }

    @Test func aPersonsMessagesAreExportedAndErased() async throws {
        host.route("holder", to: "inbox", capability: "theatre.privacy.v1.Holder")
        let holder = PrivacyHolderClient(host.scope(), feature: "holder")
        _ = try await channel.send(message("m1"))
        _ = try await channel.send(message("m2", user: "usr_2"))
        let export = try await holder.export(.with { $0.person = "usr_1" }).json
        #expect(export.contains("灯下无影") && export.contains(#"{\"run_id\":\"run_1\"}"#))
        let erased = try await holder.erase(.with { $0.person = "usr_1" })
        #expect(erased.erased == ["messages": 1] && erased.kept.count == 1)
        #expect(try await holder.erase(.with { $0.person = "usr_1" }).erased == ["messages": 0])
        #expect(try await inbox().listMessages(InboxListMessagesRequest()).items.isEmpty)
        #expect(try await inbox("usr_2").listMessages(InboxListMessagesRequest()).items.count == 1)
        #expect(try await holder.export(.with { $0.person = "usr_1" }).json == "{}")
    }

    @Test func theSameIdForAnotherPersonIsAnotherMessage() async throws {
        let first = try await channel.send(message("m1"))
        let second = try await channel.send(message("m1", user: "usr_2"))
        #expect(first.providerReference != second.providerReference)
        #expect(try await inbox("usr_2").listMessages(InboxListMessagesRequest()).items.count == 1)
        #expect(try await inbox("usr_1", tenant: "other").listMessages(InboxListMessagesRequest()).items.isEmpty)
    }

    @Test func expiredMessageIsRefusedUnlessItCameBefore() async throws {
        var request = message("m1")
        request.validUntil = host.now + 1000
        let inTime = request
        let delivery = try await channel.send(inTime)
        host.advance(milliseconds: 1000)
        #expect(try await channel.send(inTime) == delivery)
        request.messageID = "m2"
        let late = request
        let error = await #expect(throws: PluginError.self) { try await channel.send(late) }
        #expect(error?.reason == "notification.expired" && error?.code == .failedPrecondition)
    }

    @Test(arguments: [
        ("/message_id", "notification.missing"), ("/user", "notification.missing"), ("/title", "notification.missing"),
        ("long", "notification.too_long"), ("lines", "notification.bad_title"), ("array", "notification.bad_data"),
        ("broken", "notification.bad_data"), ("category", "notification.bad_category"),
    ])
    func messageOutOfBoundsIsRefused(_ what: String, _ expected: String) async throws {
        var request = message("m1")
        switch what {
        case "/message_id": request.messageID = ""
        case "/user": request.user = ""
        case "/title": request.title = ""
        case "long": request.body = String(repeating: "𠀀", count: 2001)
        case "lines": request.title = "a\nb"
        case "array": request.data = "[1]"
        case "broken": request.data = "{"
        default: request.category = "Draft finished"
        }
        let refused = request
        #expect(await reason { try await channel.send(refused) } == expected)
        #expect(try await inbox().listMessages(InboxListMessagesRequest()).items.isEmpty)
    }

    @Test func longestMessagesFillAPageWithoutBreakingIt() async throws {
        for index in 0..<90 {
            var request = message("m\(index)")
            request.body = String(repeating: "灯", count: 4000)
            request.data = #"{"a":""# + String(repeating: "x", count: 4000) + #""}"#
            let full = request
            _ = try await channel.send(full)
        }
        let page = try await inbox().listMessages(.with { $0.limit = 200 })
        #expect(page.items.count == 90)
    }

    @Test func pagesFollowEachOtherNewestFirst() async throws {
        var sent: [String] = []
        for index in 0..<105 { sent.append(try await channel.send(message("m\(index)")).providerReference) }
        let kept = Array(sent.suffix(100).reversed())
        var seen: [String] = []
        var cursor = ""
        repeat {
            let page = try await inbox().listMessages(
                .with {
                    $0.limit = 41
                    $0.cursor = cursor
                })
            #expect(page.unread == 100)
            seen += page.items.map(\.id)
            cursor = page.nextCursor
        } while !cursor.isEmpty
        #expect(seen == kept)
        #expect(await reason { try await inbox().listMessages(.with { $0.cursor = "no" }) } == "sql.bad_cursor")
    }

    @Test func readMarksOnesOwnOnce() async throws {
        let mine = try await channel.send(message("m1")).providerReference
        let more = try await channel.send(message("m2")).providerReference
        let theirs = try await channel.send(message("m3", user: "usr_2")).providerReference
        let ids = [mine, theirs, "msg_unknown", "", "a,b"]
        let marked = try await inbox().markRead(.with { $0.ids = ids })
        #expect(marked.marked == 1 && marked.unread == 1)
        #expect(try await inbox().markRead(.with { $0.ids = ids }).marked == 0)
        let unread = try await inbox().listMessages(.with { $0.unread = true })
        #expect(unread.items.map(\.id) == [more])
        #expect(try await inbox("usr_2").listMessages(InboxListMessagesRequest()).unread == 1)
        #expect(await reason { try await inbox().markRead(InboxMarkReadRequest()) } == "inbox.count")
        #expect(await reason { try await inbox("").markRead(.with { $0.ids = ids }) } == "inbox.no_owner")
    }

    @Test func eventReachesThePersonsChannel() async throws {
        let delivery = try await channel.send(message("m1"))
        _ = try await channel.send(message("m1"))
        let events = try await EventsLogClient(host.scope(), feature: "log").read(.with { $0.limit = 10 }).events
        #expect(events.count == 1)
        let event = try #require(events.first)
        #expect(event.type == "inbox.message" && event.channel == "user:usr_1" && event.aggregate == "usr_1")
        #expect(event.data.contains(#""run_id":"run_1""#) && event.data.contains(delivery.providerReference))
    }

    @Test func checkSaysThatItWorks() async throws {
        #expect(try await channel.check(NotificationCheckRequest()).ok)
    }
}

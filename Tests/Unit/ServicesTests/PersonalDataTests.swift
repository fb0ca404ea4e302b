// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Runtime
import SwiftProtobuf
import Testing
import TheatreContracts

@testable import Services

/// `theatre.host.v1.PersonalData`: everyone who holds something is asked, and none passed over.
struct PersonalDataTests {
    private func call(_ request: some Message) throws -> FakeHostCall {
        var grants = ResolvedGrants()
        grants.personal = true
        return try FakeHostCall(request, grants: grants)
    }

    @Test func allAreAskedInOrderOfName() async throws {
        let calls = FakeCalls()
        let service = PersonalDataService(calls)
        for name in ["orders", "inbox"] {
            calls.serve(name, "theatre.privacy.v1.Holder/Export") {
                (request: PrivacyExportRequest, call) -> PrivacyExportResponse? in
                .with { $0.json = #"{"\#(call.instance)":"\#(request.person)"}"# }
            }
            calls.serve(name, "theatre.privacy.v1.Holder/Erase") {
                (_: PrivacyEraseRequest, call) -> PrivacyEraseResponse? in
                if call.instance == "orders" { throw CallError(.unavailable, "instance.closed", "It is closed.") }
                return .with { $0.erased = ["messages": 3] }
            }
        }
        service.ask(["orders", "inbox"])
        let export = try call(HostExportPersonalRequest.with { $0.person = "usr_1" })
        service.serve("Export", export)
        let parts = try await export.response(HostExportPersonalResponse.self).parts
        #expect(parts.map(\.instance) == ["inbox", "orders"])
        #expect(parts.map(\.json) == [#"{"inbox":"usr_1"}"#, #"{"orders":"usr_1"}"#])
        service.ask([])
        #expect(try await pages(service) == [HostExportPersonalResponse()])
        service.ask(["orders", "inbox"])

        let erase = try call(HostErasePersonalRequest.with { $0.person = "usr_1" })
        service.serve("Erase", erase)
        let error = await erase.error()
        #expect(error?.reason == "instance.closed" && error?.message.hasPrefix("orders: ") == true)
        service.ask(["inbox"])
        let again = try call(HostErasePersonalRequest.with { $0.person = "usr_1" })
        service.serve("Erase", again)
        let erased = try await again.response(HostErasePersonalResponse.self).parts
        #expect(erased.map(\.instance) == ["inbox"] && erased.map(\.erased) == [["messages": 3]])
    }

    /// Each may have 512 KiB, an answer 1 MiB: what is too much is told of.
    /// Pages of a person by the instance and its cursor, from the start to the end.
    private func pages(_ service: PersonalDataService) async throws -> [HostExportPersonalResponse] {
        var (pages, cursor) = ([HostExportPersonalResponse](), "")
        repeat {
            let asked = cursor
            let export = try call(
                HostExportPersonalRequest.with {
                    $0.person = "usr_1"
                    $0.cursor = asked
                })
            service.serve("Export", export)
            let page = try await export.response(HostExportPersonalResponse.self)
            #expect(page.parts.reduce(0) { $0 + $1.json.utf8.count } <= 768 * 1024)
            #expect(page.nextCursor.count <= 1000)
            pages.append(page)
            cursor = page.nextCursor
        } while !cursor.isEmpty && pages.count < 20
        return pages
    }

    private func json(_ bytes: Int) -> String { #"{"text":"\#(String(repeating: "x", count: bytes - 11))"}"# }

    @Test func whatIsMuchComesInPages() async throws {
        let calls = FakeCalls()
        let service = PersonalDataService(calls)
        // "a" has three pages, the first of all bytes; "b" and "c" one of half, "d" two that are small.
        let held = ["a": [384, 384, 1], "b": [192], "c": [193], "d": [1, 1], "e": [384]]
        for (name, sizes) in held {
            calls.serve(name, "theatre.privacy.v1.Holder/Export") {
                [self] (request: PrivacyExportRequest, _) -> PrivacyExportResponse? in
                #expect(request.person == "usr_1")
                // A cursor may be any text of 512 bytes.
                let number = Int(request.cursor.split(separator: " ").first ?? "0") ?? -1
                return .with {
                    $0.json = json(sizes[number] * 1024)
                    guard number + 1 < sizes.count else { return }
                    let start = "\(number + 1) \"\n "
                    $0.nextCursor = start + String(repeating: "\\", count: 512 - start.utf8.count)
                }
            }
        }
        service.ask(held.keys)
        let pages = try await pages(service)
        let found = pages.map { $0.parts.map { "\($0.instance)\($0.json.utf8.count / 1024)" } }
        // A page ends where a holder goes on, and where another's might not fit.
        #expect(found == [["a384"], ["a384"], ["a1", "b192", "c193"], ["d1"], ["d1", "e384"]])
    }

    @Test(arguments: ["?", "e30", "Z29uZSA", "YQ", "_w", String(repeating: "a", count: 1200)])
    func aCursorThatNoAnswerGaveIsRefused(_ cursor: String) async throws {
        let service = PersonalDataService(FakeCalls())
        service.ask(["a"])
        let export = try call(
            HostExportPersonalRequest.with {
                $0.person = "usr_1"
                $0.cursor = cursor
            })
        service.serve("Export", export)
        let error = await export.error()
        #expect(error?.code == .invalidArgument && error?.reason == "request.cursor" && error?.detail == "/cursor")
    }

    @Test func aHoldersRefusalOfItsCursorIsTold() async throws {
        let calls = FakeCalls()
        calls.serve("a", "theatre.privacy.v1.Holder/Export") { (_: PrivacyExportRequest, _) -> PrivacyExportResponse? in
            throw CallError(.invalidArgument, "request.cursor", "This is none.", detail: "/cursor")
        }
        let service = PersonalDataService(calls)
        service.ask(["a"])
        let export = try call(
            HostExportPersonalRequest.with {
                $0.person = "usr_1"
                $0.cursor = ExportPlace("a", "mine").text
            })
        service.serve("Export", export)
        let error = await export.error()
        #expect(error?.reason == "request.cursor" && error?.detail == "/cursor" && error?.message == "a: This is none.")
    }

    @Test(arguments: ["page", "cursor", "circle"])
    func aHolderThatAnswersTooMuchFailsTheExport(_ fault: String) async throws {
        let calls = FakeCalls()
        calls.serve("a", "theatre.privacy.v1.Holder/Export") {
            [self] (_: PrivacyExportRequest, _) -> PrivacyExportResponse? in
            .with {
                $0.json = fault == "page" ? json(384 * 1024 + 1) : "{}"
                $0.nextCursor = fault == "cursor" ? String(repeating: "c", count: 513) : fault == "circle" ? "1" : ""
            }
        }
        let service = PersonalDataService(calls)
        service.ask(["a"])
        let export = try call(
            HostExportPersonalRequest.with {
                $0.person = "usr_1"
                $0.cursor = ExportPlace("a", "1").text
            })
        service.serve("Export", export)
        let error = await export.error()
        #expect(error?.code == .internal && error?.reason == "personal.bad_page")
        #expect(error?.message.hasPrefix("a: ") == true)
    }

    @Test func withoutTheGrantNobodyIsAsked() async throws {
        let call = try FakeHostCall(HostErasePersonalRequest.with { $0.person = "usr_1" })
        PersonalDataService(FakeCalls()).serve("Erase", call)
        #expect(await call.error()?.reason == "personal.not_granted")
    }
}

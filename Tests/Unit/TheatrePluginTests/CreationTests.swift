// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import Testing
import TheatrePlugin

@Suite struct CreationTests {
    @Test func missingHandlerIsNamed() {
        let host = RawHost()
        let (code, error) = host.create(Echo.self, manifest: Echo.manifestText(extra: #", "test.v1.Echo/Cout""#))
        #expect(code == THEATRE_UNIMPLEMENTED)
        #expect(error.reason == "plugin.missing_handler")
        #expect(error.message.contains("test.v1.Echo/Cout"))
        #expect(error.message.contains("test.v1.Echo/Count"))
        #expect(host.instance == nil)
    }

    @Test(arguments: [
        (#"{}"#, "/greeting", "missing"),
        (#"{"greeting": 5}"#, "/greeting", "String"),
        (#"{"greeting": null}"#, "/greeting", "null"),
        (#"{"greeting": "a", "nested": [{"limit": 1}, {"limit": "x"}]}"#, "/nested/1/limit", "Int"),
        (#"{"greeting""#, "", "document"),
    ])
    func configurationErrorPointsAtTheKey(_ json: String, _ pointer: String, _ word: String) {
        let (code, error) = RawHost().create(Echo.self, manifest: Echo.manifestText(), configuration: json)
        #expect(code == THEATRE_INVALID_ARGUMENT)
        #expect(error.reason == "plugin.bad_configuration")
        #expect(error.detail == pointer)
        #expect(error.message.contains(word))
    }

    @Test func manifestErrorPointsAtTheKey() {
        let text = Echo.manifestText().replacing(#""threads""#, with: #""thread""#)
        let (code, error) = RawHost().create(Echo.self, manifest: text, configuration: "{}")
        #expect(code == THEATRE_INVALID_ARGUMENT)
        #expect(error.reason == "plugin.bad_manifest")
        #expect(error.detail == "/executor/thread")
    }

    @Test func nullPointersAreAnswered() {
        var error = theatre_error.sized
        #expect(PluginEntry.create(Echo.self, nil, nil, nil, &error) == THEATRE_INVALID_ARGUMENT)
        #expect(error.reason.text == "plugin.null_pointer")
        #expect(PluginEntry.create(Echo.self, nil, nil, nil, nil) == THEATRE_INVALID_ARGUMENT)
    }

    @Test func hostTableWithoutAFunctionIsRefused() {
        let host = RawHost()
        host.table.pointee.complete = nil
        let (code, error) = host.create(Echo.self, manifest: Echo.manifestText(), configuration: #"{"greeting": "a"}"#)
        #expect(code == THEATRE_INVALID_ARGUMENT)
        #expect(error.reason == "plugin.host_table")
    }

    @Test func shortErrorOfAnOlderHostIsNotOverrun() {
        var error = theatre_error.sized
        error.struct_size = 24
        error.detail = theatre_bytes(data: nil, size: 99)
        _ = PluginEntry.create(Echo.self, nil, nil, nil, &error)
        #expect(error.code == THEATRE_INVALID_ARGUMENT)
        #expect(error.struct_size == 24)
        #expect(error.detail.size == 99)
    }

    @Test func tableAnswersNullPointersAndFreesItself() throws {
        let host = RawHost()
        let (code, _) = host.create(Echo.self, manifest: Echo.manifestText(), configuration: #"{"greeting": "a"}"#)
        #expect(code == THEATRE_OK)
        let table = try #require(host.instance).pointee
        #expect(table.invoke?(table.`self`, nil) == THEATRE_INVALID_ARGUMENT)
        #expect(table.invoke?(nil, nil) == THEATRE_INVALID_ARGUMENT)
        #expect(table.reply?(table.`self`, 7, nil) == THEATRE_INVALID_ARGUMENT)
        #expect(table.send?(table.`self`, 7, nil) == THEATRE_INVALID_ARGUMENT)
        #expect(host.reply(7, []) == THEATRE_NOT_FOUND)
        #expect(host.send(7, 0, []) == THEATRE_NOT_FOUND)
        #expect(host.invoke(0, 0, []) == THEATRE_INVALID_ARGUMENT)
        #expect(table.activate?(table.`self`, nil) == THEATRE_OK)
        #expect(table.self_test?(table.`self`, nil) == THEATRE_OK)
        table.deactivate?(table.`self`)
        table.destroy?(table.`self`)
        table.destroy?(nil)
    }
}

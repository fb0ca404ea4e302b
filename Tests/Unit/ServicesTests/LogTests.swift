// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Testing

@testable import Services

@Suite struct LogTests {
    private func lines(_ format: LogFormat, _ body: (Logger) -> Void) throws -> [String] {
        let pipe = Pipe()
        let writer = LogWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let logger = Logger(label: "gateway") { label in
            LineLogHandler(label: label, writer: writer, format: format, level: .debug, wall: { 1_700_000_000_123 })
        }
        body(logger)
        try writer.close()
        try pipe.fileHandleForWriting.close()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func aLineAboutAnInstanceSaysItsGeneration() throws {
        let pipe = Pipe()
        let writer = LogWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        let log = Logger(label: "jobs") { label in
            LineLogHandler(
                label: label, writer: writer, format: .json, wall: { 0 }, generation: { $0 == "orders" ? 7 : nil })
        }
        log.info("served", metadata: ["instance": "orders"])
        log.info("replaced", metadata: ["instance": "orders", "generation": "6"])
        log.info("closed", metadata: ["instance": "other"])
        try writer.close()
        try pipe.fileHandleForWriting.close()
        let lines = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            .split(separator: "\n").map { $0.drop { $0 != "m" } }
        #expect(
            lines.map { $0.components(separatedBy: "metadata").last } == [
                #"":{"generation":"7","instance":"orders"}}"#, #"":{"generation":"6","instance":"orders"}}"#,
                #"":{"instance":"other"}}"#,
            ])
    }

    @Test func aRecordIsOneLineOfJSON() throws {
        let lines = try lines(.json) { log in
            log.info("two\nlines \"quoted\" \u{1b}", metadata: ["b": ["1", ["k": "v"]], "a": "\u{7f}é"])
            log.trace("below the level")
            log.notice("second")
        }
        #expect(
            lines == [
                #"{"time":"2023-11-14T22:13:20.123Z","level":"info","logger":"gateway","message":"two\nlines \"quoted\" \u001b","metadata":{"a":"\u007fé","b":["1",{"k":"v"}]}}"#,
                #"{"time":"2023-11-14T22:13:20.123Z","level":"notice","logger":"gateway","message":"second"}"#,
            ])
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
    }

    /// However soon after the line it is closed: its thread may not have begun.
    @Test func whatWasLoggedIsWrittenBeforeTheEnd() throws {
        for round in 0..<500 { #expect(try lines(.json) { $0.info("round \(round)") }.count == 1) }
    }

    @Test(arguments: [
        "authorization", "Authorization", "password", "http.authorization", "refresh_token", "bot-token", "api_key",
        "x.api_key", "set-cookie", "client_secret",
    ])
    func secretMetadataIsNotWritten(key: String) throws {
        let lines = try lines(.json) { $0.info("hello", metadata: [key: "hunter2", "nested": [key: "hunter2"]]) }
        #expect(lines[0].contains("<redacted>") && !lines[0].contains("hunter2"))
    }

    @Test func otherMetadataIsWritten() {
        for key in ["token.count", "instance", "secretary", "tokens.used"] { #expect(!Redaction.isSecret(key)) }
    }

    @Test func consoleLinesStayOneLine() throws {
        let lines = try lines(.console) { $0.warning("a\nb", metadata: ["k": "v"]) }
        #expect(lines == ["22:13:20.123 WARNING gateway: a?b k=v"])
    }

    @Test func whatDoesNotFitIsCounted() throws {
        let pipe = Pipe()
        let writer = LogWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor, bound: 4)
        let line = [UInt8](repeating: 0x61, count: 256 << 10)
        // The pipe takes 64 KiB: the thread stands still in the first line, four wait, the rest is dropped.
        for _ in 0..<16 { writer.write(line) }
        #expect(writer.dropped >= 16 - 4 - 5)
        #expect(writer.dropped < 16)
        Thread.detachNewThread {
            while !pipe.fileHandleForReading.availableData.isEmpty {}
        }
        try writer.close()
        try pipe.fileHandleForWriting.close()
    }
}

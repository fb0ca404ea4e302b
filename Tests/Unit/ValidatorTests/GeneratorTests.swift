// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import JSONSchema
import Runtime
import Testing
import TheatreManifest
import Transcoding

@testable import Validator

/// What the checks send.
@Suite struct GeneratorTests {
    private func subject(_ name: String, seed: UInt64 = 1) throws -> Subject {
        try Subject(
            library: "\(BuiltLibraries.folder)/lib\(name).so", seed: seed, folder: "/tmp", configuration: nil,
            isQuick: true)
    }

    @Test(arguments: BuiltLibraries.plugins) func generatedMessagesAreOfTheirContract(_ name: String) throws {
        let subject = try subject(name)
        let check = WireCheck(subject.catalog)
        for operation in subject.operations {
            for style in [MessageGenerator.Style.sound, .odd] {
                var generator = MessageGenerator(subject.catalog, subject.numbers(operation.name), style: style)
                for _ in 0..<50 {
                    let message = generator.message(operation.description.input)
                    #expect(check.fault(message, operation.description.input) == nil, "\(operation.name)")
                    #expect(!WireCheck.isBroken(message), "\(operation.name)")
                }
            }
        }
    }

    @Test func aSeedGivesTheSameMessages() throws {
        let operation = try #require(try subject("SQLite").operations.first)
        func bytes(_ seed: UInt64) throws -> [UInt8] {
            let subject = try subject("SQLite", seed: seed)
            var generator = MessageGenerator(subject.catalog, subject.numbers("same"))
            return generator.message(operation.description.input)
        }
        #expect(try bytes(1) == bytes(1))
        #expect(try bytes(1) != bytes(2))
    }

    @Test(arguments: BuiltLibraries.plugins) func wrongConfigurationsAreWrong(_ name: String) throws {
        let subject = try subject(name)
        let schema = try JSONSchema(subject.manifest.configuration)
        #expect(schema.validate(subject.configuration) == [])
        let samples = ConfigurationSamples(schema: subject.manifest.configuration)
        for sample in samples.violations(of: subject.configuration) {
            #expect(schema.validate(sample.value) != [], "\(sample.what)")
        }
    }

    @Test func aSecretStandsWhereTheContractHasOne() throws {
        let subject = try subject("Password")
        let operation = try #require(subject.operations.first { $0.name.hasSuffix("/Verify") })
        var generator = MessageGenerator(subject.catalog, subject.numbers("secret"))
        generator.secret = "CANARY"
        let messages = (0..<20).map { _ in generator.message(operation.description.input) }
        #expect(messages.contains { $0.contains(Array("CANARY".utf8)) })
        let check = WireCheck(subject.catalog)
        #expect(!messages.contains { check.open($0, operation.description.input).contains(Array("CANARY".utf8)) })
    }

    @Test func brokenBytesAreBroken() {
        #expect(WireCheck.isBroken([0xFF]))
        #expect(WireCheck.isBroken([0x0A, 0x05, 0x61]))
        #expect(!WireCheck.isBroken([]))
        #expect(!WireCheck.isBroken([0x08, 0x01]))
        // Groups, such as "PO", "ST" behind a length of 0 that was 4: whole, cut off, of another field, of no field.
        #expect(!WireCheck.isBroken([0x0A, 0x00, 0x50, 0x4F, 0x53, 0x54]))
        #expect(!WireCheck.isBroken([0x53, 0x08, 0x01, 0x5B, 0x5C, 0x54]))
        for broken in [[0x53], [0x54], [0x53, 0x5C], [0x53, 0x08, 0x54], [0x03, 0x04]] as [[UInt8]] {
            #expect(WireCheck.isBroken(broken), "\(broken)")
        }
    }
}

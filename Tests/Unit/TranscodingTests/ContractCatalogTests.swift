// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SeededRandom
import SwiftProtobuf
import Testing
import TheatreContracts
import Transcoding

struct ContractCatalogTests {
    @Test func operationsCarryTheirOptions() throws {
        let catalog = try TestCatalog.load()
        let create = try #require(catalog.operation("theatre.orders.v1.Orders/CreateOrder"))
        #expect(create.sideEffect && !create.freeOfEffects && create.output == "theatre.orders.v1.Order")
        #expect(create.comment == "Makes an order for a number of chips at the price of the day.")
        #expect(try #require(catalog.operation("theatre.sql.v1.Database/AppendAudit")).hostOnly)
        #expect(try #require(catalog.operation("theatre.sql.v1.Database/Transact")).isClientStreaming)
        #expect(
            try #require(catalog.service("theatre.content.v1.Embedding")).attributes.map(\.name).contains("dimensions"))
    }

    @Test func enumValuesLoseThePrefixOfTheirType() throws {
        let status = try #require(try TestCatalog.load().enumeration("theatre.orders.v1.OrderStatus"))
        #expect(status.values.first?.name == "UNSPECIFIED" && status.values.last?.name == "PARTIALLY_REFUNDED")
    }

    @Test func everyMessageHasATranscoder() throws {
        let catalog = try TestCatalog.load()
        let messages = catalog.services.flatMap { $0.operations.flatMap { [$0.input, $0.output] } }
        #expect(messages.count > 40)
        for message in messages { _ = try catalog.transcoder(for: message) }
    }

    @Test func anUnknownMessageIsRefusedWithTheNearest() throws {
        let catalog = try TestCatalog.load()
        let error = #expect(throws: CatalogError.self) { try catalog.transcoder(for: "theatre.orders.v1.Ordre") }
        #expect(error?.message.contains("did you mean theatre.orders.v1.Order?") == true)
    }

    @Test func commentsAreReadOnlyWhereTheyAreWanted() throws {
        let set = try TestCatalog.contracts()
        let bare = try ContractCatalog(descriptorSets: [set], comments: false)
        let whole = try ContractCatalog(descriptorSets: [set], comments: true)
        #expect(bare.services.map(\.name) == whole.services.map(\.name))
        #expect(bare.services.allSatisfy { $0.comment.isEmpty } && whole.services.allSatisfy { !$0.comment.isEmpty })
        let (before, after) = (whole.message("theatre.orders.v1.Order"), bare.message("theatre.orders.v1.Order"))
        #expect(before?.fields.map(\.name) == after?.fields.map(\.name) && after?.fields.isEmpty == false)
    }

    @Test func commentsComeFromWhicheverSetHasThem() throws {
        let set = try TestCatalog.contracts()
        var bare = try Google_Protobuf_FileDescriptorSet(serializedBytes: set)
        for index in bare.file.indices { bare.file[index].clearSourceCodeInfo() }
        let bytes: [UInt8] = try bare.serializedBytes()
        for sets in [[set, bytes], [bytes, set]] {
            let catalog = try ContractCatalog(descriptorSets: sets, comments: true)
            #expect(catalog.message("theatre.orders.v1.Order")?.comment == "An order.")
        }
    }

    @Test(arguments: 0..<24 as Range<UInt64>) func cutOrChangedSetsAreRefusedOrRead(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var set = try TestCatalog.contracts()
        set.removeLast(Int.random(in: 0..<set.count, using: &generator))
        if !set.isEmpty {
            set[Int.random(in: 0..<set.count, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        }
        for comments in [false, true] {
            do { _ = try ContractCatalog(descriptorSets: [set], comments: comments) } catch {
                #expect(error.code == "contract.malformed")
            }
        }
    }

    @Test func theSameFileMayBeThereTwiceButNotDiffer() throws {
        let set = try TestCatalog.contracts()
        #expect(try ContractCatalog(descriptorSets: [set, set], comments: true).services.count > 10)
        var changed = try Google_Protobuf_FileDescriptorSet(serializedBytes: set)
        changed.file[0].package += "x"
        let bytes: [UInt8] = try changed.serializedBytes()
        let error = #expect(throws: CatalogError.self) {
            try ContractCatalog(descriptorSets: [set, bytes], comments: true)
        }
        #expect(error?.code == "contract.conflict")
    }
}

// TheatreOS
// SPDX-License-Identifier: Apache-2.0

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

    @Test func theSameFileMayBeThereTwiceButNotDiffer() throws {
        let set = try TestCatalog.contracts()
        #expect(try ContractCatalog(descriptorSets: [set, set]).services.count > 10)
        var changed = try Google_Protobuf_FileDescriptorSet(serializedBytes: set)
        changed.file[0].package += "x"
        let bytes: [UInt8] = try changed.serializedBytes()
        let error = #expect(throws: CatalogError.self) { try ContractCatalog(descriptorSets: [set, bytes]) }
        #expect(error?.code == "contract.conflict")
    }
}

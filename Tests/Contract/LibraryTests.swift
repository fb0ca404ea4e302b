// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import CTheatrePlugin
import FoundationEssentials
import JSONSchema
import Testing
import TheatreManifest
import Transcoding

@testable import Runtime

/// What every built library keeps, whatever it does.
@Suite struct LibraryTests {
    @Test func thePackageHasPlugins() { #expect(BuiltPlugins.all.count >= 13) }

    @Test(arguments: BuiltPlugins.all) func theManifestInTheLibraryIsTheOneInItsFolder(_ plugin: String) throws {
        let file = try BuiltPlugins.file(plugin)
        #expect(file.fault == nil)
        #expect(String(decoding: file.manifestBytes, as: UTF8.self) == (try BuiltPlugins.source(plugin, "plugin.json")))
        #expect(file.manifest.version.wholeMatch(of: #/\d+\.\d+\.\d+/#) != nil)
        #expect(!file.buildID.isEmpty)
    }

    @Test(arguments: BuiltPlugins.all) func theEntryAloneIsExported(_ plugin: String) throws {
        let file = try BuiltPlugins.file(plugin)
        #expect(try ELFFile(file.image.bytes()).exports == ["theatre_plugin_v1_\(file.manifest.name)"])
    }

    @Test(arguments: BuiltPlugins.all) func theTableIsWhatTheFileSays(_ plugin: String) throws {
        let file = try BuiltPlugins.file(plugin)
        let table = try PluginLibrary(file).table.pointee
        #expect(bytes(table.manifest) == file.manifestBytes)
        #expect(bytes(table.contracts) == file.contracts)
        #expect(table.create != nil)
    }

    private func bytes(_ borrowed: theatre_bytes) -> [UInt8] {
        Array(UnsafeBufferPointer(start: borrowed.data, count: Int(borrowed.size)))
    }

    @Test(arguments: BuiltPlugins.all) func theContractsDescribeAllThatIsProvidedNeededAndRouted(_ plugin: String)
        throws
    {
        let file = try BuiltPlugins.file(plugin)
        let manifest = file.manifest
        let catalog = try ContractCatalog(descriptorSets: [file.contracts], comments: false)
        for capability in manifest.provides.map(\.capability) + manifest.needs.map(\.capability) {
            #expect(catalog.service(capability) != nil, "\(capability)")
        }
        for operation in manifest.operations { #expect(catalog.operation(operation) != nil, "\(operation)") }
        let needs = Dictionary(manifest.needs.map { ($0.feature, $0.capability) }) { first, _ in first }
        for call in manifest.calls {
            let owner = Manifest.owner(of: call)
            let operation = (needs[owner] ?? owner) + call.dropFirst(owner.count)
            #expect(catalog.operation(operation) != nil, "\(operation)")
        }
        for route in manifest.routes {
            let operation = try #require(catalog.operation(route.operation), "\(route.operation)")
            #expect(operation.input == route.request, "\(route.path)")
            #expect(operation.output == route.response, "\(route.path)")
            if route.body == "json" {
                _ = try catalog.transcoder(for: route.request)
                _ = try catalog.transcoder(for: route.response)
            }
        }
    }

    @Test(arguments: BuiltPlugins.all) func theLibraryCarriesTheCommentsOfWhatItServes(_ plugin: String) throws {
        let file = try BuiltPlugins.file(plugin)
        let catalog = try ContractCatalog(descriptorSets: [file.contracts], comments: true)
        for provision in file.manifest.provides {
            let service = try #require(catalog.service(provision.capability))
            #expect(!service.comment.isEmpty, "\(service.name)")
            for operation in service.operations {
                #expect(!operation.comment.isEmpty, "\(operation.name)")
                for name in [operation.input, operation.output] {
                    let message = try #require(catalog.message(name), "\(name)")
                    #expect(!message.comment.isEmpty && message.fields.allSatisfy { !$0.comment.isEmpty }, "\(name)")
                }
            }
        }
    }

    @Test(arguments: BuiltPlugins.all) func everyOperationThatAContractDemandsIsThere(_ plugin: String) throws {
        let file = try BuiltPlugins.file(plugin)
        let catalog = try ContractCatalog(descriptorSets: [file.contracts], comments: false)
        for provision in file.manifest.provides {
            let service = try #require(catalog.service(provision.capability))
            let demanded = service.operations.filter { !$0.optional }.map(\.name)
            #expect(Set(demanded).subtracting(file.manifest.operations).isEmpty, "\(provision.capability)")
            let declared = Set(service.attributes.map(\.name))
            #expect(Set(provision.attributes.keys).subtracting(declared).isEmpty, "\(provision.capability)")
        }
    }

    @Test(arguments: BuiltPlugins.all) func theSchemaIsReadAndTheDefaultConfigurationFits(_ plugin: String) throws {
        let schema = try JSONSchema(BuiltPlugins.file(plugin).manifest.configuration)
        for configuration in try BuiltPlugins.configurations(plugin) {
            #expect(schema.validate(configuration) == [])
            #expect(schema.validate(schema.applyingDefaults(to: configuration)) == [])
        }
        #expect(schema.validate(.object(["no_such_key": .bool(true)])) != [], "unknown keys must be refused")
    }

    @Test(arguments: BuiltPlugins.all) func theReadmeHasTheRoutesOfTheManifest(_ plugin: String) throws {
        let manifest = try BuiltPlugins.file(plugin).manifest
        let readme = try BuiltPlugins.source(plugin, "README.md")
        let section = readme.split(separator: "\n## ").first { $0.hasPrefix("Routes") } ?? ""
        let written = section.matches(of: #/(GET|POST|PUT|PATCH|DELETE)[`| ]+(\/[A-Za-z0-9\/_{}:.\-]*)/#)
            .map { "\($0.1) \($0.2)" }
        #expect(Set(written) == Set(manifest.routes.map { "\($0.method) \($0.path)" }))
    }

    @Test(arguments: BuiltPlugins.all) func aMutatingRouteOfUsersIsAudited(_ plugin: String) throws {
        for route in try BuiltPlugins.file(plugin).manifest.routes where route.method != "GET" {
            #expect(route.audit == "change" || route.access != "user", "\(route.method) \(route.path)")
        }
    }
}

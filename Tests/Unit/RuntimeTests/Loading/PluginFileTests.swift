// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest

@testable import Runtime

/// A library is verified from its bytes; each fault names plugin, expected, found and fix.
@Suite struct PluginFileTests {
    private static let manifest = #"{"manifest": 1, "name": "Good", "version": "1.2.3"}"#

    @Test func aSoundFileHasItsManifestAndDigest() throws {
        var elf = SyntheticELF.plugin("Good", manifest: Self.manifest, contracts: [7])
        elf.buildID = [0x0A, 0xFF]
        let file = try PluginFile(name: "Good", path: "libGood.so", image: elf.bytes)
        #expect(file.fault == nil)
        #expect(file.manifest.version == "1.2.3")
        #expect(file.buildID == "0aff")
        #expect(file.contracts == [7])
        #expect(file.digest.count == 64)
        elf.buildID = [0x0B]
        #expect(try PluginFile(name: "Good", path: "", image: elf.bytes).digest != file.digest)
    }

    @Test(arguments: [
        (#"{"manifest": 1, "name": "Other", "version": "1.2.3"}"#, "plugin.name"),
        (#"{"manifest": 1, "name": "Good", "version": "1.2.3", "abi": {"major": 2}}"#, "plugin.abi_major"),
        (#"{"manifest": 1, "name": "Good", "version": "1.2.3", "abi": {"min_host_revision": 9}}"#, "plugin.newer_host"),
    ])
    func aManifestOfAnotherHostOrNameIsAFault(_ manifest: String, _ code: String) throws {
        let file = try PluginFile(
            name: "Good", path: "", image: SyntheticELF.plugin("Good", manifest: manifest).bytes)
        #expect(file.fault?.code == code)
        #expect(file.fault?.plugin == "Good")
    }

    @Test func theEntryOfAnotherNameIsAFault() throws {
        let file = try PluginFile(
            name: "Good", path: "", image: SyntheticELF.plugin("Bad", manifest: Self.manifest).bytes)
        #expect(
            file.fault?.description
                == "Good: plugin.no_entry: expected the exported symbol theatre_plugin_v1_Good, found "
                + "theatre_plugin_v1_Bad; fix: declare THEATRE_PLUGIN(Good, …) and export it in the version script")
    }

    @Test(arguments: [
        (#"{"manifest": 1, "name": "Good", "version": "1", "rotues": []}"#, "plugin.bad_manifest", "did you mean"),
        (#"{"manifest": 2, "name": "Good", "version": "1"}"#, "plugin.bad_manifest", "this host reads format 1"),
        ("not json", "plugin.bad_manifest", ""), ("", "plugin.no_manifest", "none"),
    ])
    func aManifestThatCannotBeReadRefusesTheFile(_ manifest: String, _ code: String, _ found: String) {
        do {
            _ = try PluginFile(name: "Good", path: "", image: SyntheticELF.plugin("Good", manifest: manifest).bytes)
            Issue.record("the file was read")
        } catch {
            #expect(error.code == code)
            #expect(found.isEmpty || error.found.contains(found), "\(error)")
            #expect(!error.fix.isEmpty)
        }
    }

    @Test func anotherMachineIsRefused() {
        var elf = SyntheticELF.plugin("Good", manifest: Self.manifest)
        elf.machine = 8
        do {
            _ = try PluginFile(name: "Good", path: "", image: elf.bytes)
            Issue.record("the file was read")
        } catch { #expect(error.code == "plugin.machine") }
    }

    @Test func aMissingFileIsNamed() {
        do {
            _ = try PluginFile(name: "Good", path: "/nonexistent/libGood.so")
            Issue.record("the file was read")
        } catch {
            #expect(error.code == "plugin.no_file")
            #expect(error.expected.contains("/nonexistent/libGood.so"))
        }
    }

    @Test func whatTheLoaderRefusesIsSaid() throws {
        let file = try PluginFile(
            name: "Good", path: "", image: SyntheticELF.plugin("Good", manifest: Self.manifest).bytes)
        do {
            _ = try PluginLibrary(file)
            Issue.record("the library was loaded")
        } catch {
            #expect(error.code == "plugin.load")
            #expect(error.plugin == "Good")
        }
    }

    /// What does not run is not held; what is asked for later is verified again.
    @Test func aDroppedImageIsReadAgainAndOnlyIfItIsTheSame() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "libGood.so"),
            bytes = SyntheticELF.plugin("Good", manifest: Self.manifest).bytes
        try Data(bytes).write(to: path)
        let file = try PluginFile(name: "Good", path: path.path)
        file.image.drop()
        #expect(try file.image.bytes() == bytes)
        try Data(bytes + [0]).write(to: path)
        let changed = #expect(throws: LoadError.self) { try file.image.bytes() }
        #expect(changed?.code == "plugin.changed")
        #expect(throws: LoadError.self) { try file.image.sealed() }
    }

    /// The loader takes a descriptor that it knows for a library that is loaded already.
    @Test func eachMappingHasADescriptorOfItsOwn() throws {
        let bytes = SyntheticELF.plugin("Good", manifest: Self.manifest).bytes
        let image = try PluginFile(name: "Good", path: "", image: bytes).image
        let shared = try image.sealed()
        #expect(try image.sealed() == shared)
        #expect(try image.unmapped() == shared)
        #expect(try image.unmapped() != shared)
        #expect(try image.sealed() == shared)
        #expect(try image.bytes() == bytes)
        image.drop()
        #expect(try image.bytes() == bytes)
    }
}

// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import SwiftProtobuf

/// The part of descriptor sets that one plugin carries.
enum DescriptorSubset {
    /// The file that declares a service and the files it imports, each after those it needs. Of the source info only
    /// comments of the contracts' own are kept.
    static func make(of service: String, from sets: [Data]) throws -> Data {
        var files: [String: Google_Protobuf_FileDescriptorProto] = [:]
        for set in sets {
            for file in try Google_Protobuf_FileDescriptorSet(serializedBytes: set).file where files[file.name] == nil {
                files[file.name] = file
            }
        }
        let owner = files.values.first { file in
            file.service.contains { (file.package.isEmpty ? $0.name : "\(file.package).\($0.name)") == service }
        }
        guard let owner else { throw ScaffoldError("No file declares \(service)") }
        var result = Google_Protobuf_FileDescriptorSet()
        var seen: Set<String> = []
        func add(_ name: String) throws {
            guard seen.insert(name).inserted else { return }
            guard let file = files[name] else {
                throw ScaffoldError("The descriptor set lacks \(name); build it with its imports")
            }
            for imported in file.dependency { try add(imported) }
            result.file.append(withComments(file))
        }
        try add(owner.name)
        return try result.serializedData()
    }

    private static func withComments(_ file: Google_Protobuf_FileDescriptorProto) -> Google_Protobuf_FileDescriptorProto
    {
        var file = file
        guard !file.name.hasPrefix("google/") else {
            file.clearSourceCodeInfo()
            return file
        }
        file.sourceCodeInfo.location = file.sourceCodeInfo.location.filter(\.hasLeadingComments).map { location in
            var kept = Google_Protobuf_SourceCodeInfo.Location()
            kept.path = location.path
            kept.span = location.span
            kept.leadingComments = location.leadingComments
            return kept
        }
        return file
    }
}

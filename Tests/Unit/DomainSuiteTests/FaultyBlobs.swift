// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SwiftProtobuf
import TheatreContracts
import TheatrePlugin
import TheatrePluginTesting

/// What a store of blobs may do wrong.
enum BlobFault: Sendable {
    case cuts, numbersItsETags, forgetsTypes, forgetsMetadata, saysOtherwiseLater
    case readsAll, countsFromTheBegin, readsBeyond, takesAnyKey, takesTooLongKeys
    case mixesInstances, mixesTenants, removesAcrossTenants
    case ignoresAbsence, ignoresMatches, ignoresMatchesOnRemoval, removesNothing
    case takesOtherBytes, keepsRefusedBytes, losesTheOld
    case isOutOfOrder, ignoresPrefixes, ignoresPages, deniesMore, findsAnything
    case joinsInOrderOfArrival, showsUnfinished, inventsParts, forgetsCompletion, keepsAborted
}

/// Blobs in memory, with a fault or none.
struct FaultyBlobs: Sendable {
    let host = TestHost()
    let fault: BlobFault?
    let state = Shared(State())

    struct State {
        /// By owner, then key.
        var blobs: [String: [String: Blob]] = [:]
        var uploads: [String: Upload] = [:]
        var completed: [String: BlobBlobInfo] = [:]
        var next = 0

        mutating func number() -> Int {
            next += 1
            return next
        }
    }

    struct Blob {
        var info: BlobBlobInfo
        var bytes: Data
    }

    struct Upload {
        var start: BlobPutStart
        /// In the order they came.
        var parts: [(number: UInt32, bytes: Data)] = []
    }

    var subject: BlobSubject {
        BlobSubject { [host] instance, tenant in Blobs(host.scope(as: instance, tenant: tenant), feature: "blobs") }
    }

    init(_ fault: BlobFault?) {
        self.fault = fault
        let own = self
        host.serveBidirectional("blobs/Put") {
            (input: MessageStream<BlobPutRequest>, call, output: MessageSink<BlobBlobInfo>) in
            var start = BlobPutStart()
            var bytes = Data()
            for try await message in input {
                switch message.part {
                case .start(let given): start = given
                case .data(let more): bytes += more
                case nil: continue
                }
            }
            try await output.send(try own.put(start, bytes, own.owner(call)))
        }
        host.serveStreaming("blobs/Get") { (request: BlobGetRequest, call, output: MessageSink<BlobGetResponse>) in
            let blob = try own.find(request.key, call)
            try await output.send(.with { $0.info = blob.info })
            let part = try own.part(of: blob.bytes, request)
            for start in stride(from: 0, to: part.count, by: 30_000) {
                try await output.send(.with { $0.data = Data(part.dropFirst(start).prefix(30_000)) })
            }
        }
        host.fake("blobs", "Stat") { (request: BlobStatRequest, call) in
            var info = try own.find(request.key, call).info
            if fault == .saysOtherwiseLater { info.modifiedAt += 1 }
            return info
        }
        host.fake("blobs", "Delete") { (request: BlobDeleteRequest, call) in
            try own.remove(request, call)
            return BlobDeleteResponse()
        }
        host.fake("blobs", "List") { (request: BlobListRequest, call) in own.list(request, own.owner(call)) }
        serveUploads()
    }

    func owner(_ call: Call) -> String {
        let instance = fault == .mixesInstances ? "" : call.context.caller
        return "\(instance) \(fault == .mixesTenants ? "" : call.tenant)"
    }

    private func find(_ key: String, _ call: Call) throws -> Blob {
        if let found = state.with({ $0.blobs[owner(call)]?[key] }) { return found }
        if fault == .findsAnything { return Blob(info: .with { $0.key = key }, bytes: Data()) }
        throw PluginError(.notFound, "blob.unknown", "There is no such blob.")
    }

    // MARK: in

    private func isKey(_ key: String) -> Bool {
        let segments = key.split(separator: "/", omittingEmptySubsequences: false)
        let isShort = key.utf8.count <= 512 || fault == .takesTooLongKeys
        return isShort && segments.allSatisfy { !["", ".", ".."].contains($0) }
            && key.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
    }

    func put(_ start: BlobPutStart, _ bytes: Data, _ owner: String) throws -> BlobBlobInfo {
        guard isKey(start.key) || fault == .takesAnyKey else {
            throw PluginError(.invalidArgument, "blob.bad_key", "This is no key.", detail: "/key")
        }
        let kept = fault == .cuts ? Data(bytes.prefix(200_000)) : bytes
        let digest = Hex.encode(Digest.sha256(kept))
        return try state.with { state in
            let known = state.blobs[owner]?[start.key]
            if start.conditions.ifAbsent, known != nil, fault != .ignoresAbsence {
                throw PluginError(.failedPrecondition, "blob.exists", "There is one.")
            }
            let match = start.conditions.ifMatch
            if !match.isEmpty, match != known?.info.etag, fault != .ignoresMatches {
                throw PluginError(.failedPrecondition, "blob.changed", "It is another.")
            }
            let isOther = !start.sha256.isEmpty && start.sha256 != digest && fault != .takesOtherBytes
            if isOther, fault == .losesTheOld { state.blobs[owner]?[start.key] = nil }
            let info = BlobBlobInfo.with {
                $0.key = start.key
                $0.size = Int64(kept.count)
                $0.etag = fault == .numbersItsETags ? "\(state.number())" : digest
                $0.contentType = fault == .forgetsTypes ? "application/octet-stream" : start.contentType
                if fault != .forgetsMetadata { $0.metadata = start.metadata }
                $0.modifiedAt = host.now
            }
            if !isOther || fault == .keepsRefusedBytes {
                state.blobs[owner, default: [:]][start.key] = Blob(info: info, bytes: kept)
            }
            guard !isOther else { throw PluginError(.dataLoss, "blob.digest", "These are other bytes.") }
            return info
        }
    }

    private func remove(_ request: BlobDeleteRequest, _ call: Call) throws {
        try state.with { state in
            let match = request.conditions.ifMatch
            if !match.isEmpty, match != state.blobs[owner(call)]?[request.key]?.info.etag,
                fault != .ignoresMatchesOnRemoval
            {
                throw PluginError(.failedPrecondition, "blob.changed", "It is another.")
            }
            if fault == .removesAcrossTenants {
                for owner in state.blobs.keys { state.blobs[owner]?[request.key] = nil }
            } else if fault != .removesNothing {
                state.blobs[owner(call)]?[request.key] = nil
            }
        }
    }

    // MARK: out

    private func part(of bytes: Data, _ request: BlobGetRequest) throws -> Data {
        guard fault != .readsAll else { return bytes }
        var start = Int(request.offset)
        if start < 0, fault != .countsFromTheBegin { start = max(0, bytes.count + start) }
        guard start <= bytes.count || fault == .readsBeyond else {
            throw PluginError(.outOfRange, "blob.range", "It has \(bytes.count) bytes.")
        }
        let rest = bytes.dropFirst(max(0, start))
        return Data(request.length == 0 ? rest : rest.prefix(Int(request.length)))
    }

    private func list(_ request: BlobListRequest, _ owner: String) -> BlobListResponse {
        let all = state.with { $0.blobs[owner] ?? [:] }
        var keys = all.keys.sorted()
        if fault == .isOutOfOrder { keys.reverse() }
        keys = keys.filter {
            ($0.hasPrefix(request.prefix) || fault == .ignoresPrefixes)
                && ($0 > request.after || fault == .ignoresPages)
        }
        let page = keys.prefix(Int(request.limit))
        return .with {
            $0.blobs = page.compactMap { all[$0]?.info }
            $0.more = keys.count > page.count && fault != .deniesMore
        }
    }
}

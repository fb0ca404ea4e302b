// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import SwiftProtobuf
import TheatreContracts
import TheatrePlugin

extension Offline {
    /// As it names itself.
    static let imageModel = "offline-landscape-1"
    /// Most pixels of an image.
    static let mostPixels = 1_048_576
    /// Most images of a call.
    static let mostImages = 4

    func generate(_ request: ContentImageRequest, _ call: Call, _ output: MessageSink<ContentMediaPart>) async throws {
        guard !request.prompt.isEmpty else { throw OfflineError.emptyText("/prompt") }
        guard request.negativePrompt.isEmpty else {
            throw OfflineError.unsupported("/negative_prompt", "it cannot be told what not to show")
        }
        guard request.references.isEmpty else {
            throw OfflineError.unsupported("/references", "it cannot be shown images")
        }
        guard ["", "image/png"].contains(request.contentType) else {
            throw OfflineError.unsupported("/content_type", "it makes image/png")
        }
        guard request.count <= Self.mostImages else {
            throw OfflineError.unsupported("/count", "it makes at most \(Self.mostImages) images in a call")
        }
        let size = try PictureSize(request.width, request.height, most: Self.mostPixels, or: (512, 512))
        let sender = MediaSender(output: output)
        let count = max(1, request.count)
        for index in 0..<count {
            let seed = (request.hasSeed ? request.seed : 0) &+ Int64(index)
            let landscape = Landscape(seed: PictureSize.seed(request.prompt, seed))
            let pixels = landscape.pixels(width: size.width, height: size.height)
            let file = PNG.file(
                width: size.width, height: size.height, pixels: pixels, palette: landscape.palette)
            try await sender.head {
                $0.index = index
                $0.contentType = "image/png"
                $0.size = Int64(file.count)
                ($0.width, $0.height) = (UInt32(size.width), UInt32(size.height))
                $0.seed = seed
            }
            try await sender.data(file)
        }
        try await sender.end(Self.imageModel, .with { $0.images = Int64(count) })
    }
}

/// How large a picture is to be.
struct PictureSize: Equatable {
    var width: Int
    var height: Int

    /// - Parameter standard: where a request says nothing; where it says one side, the picture is a square.
    init(_ width: UInt32, _ height: UInt32, most: Int, or standard: (Int, Int)) throws {
        let wide = width > 0 ? width : height, high = height > 0 ? height : width
        (self.width, self.height) = wide == 0 ? standard : (Int(wide), Int(high))
        guard self.width >= 16, self.height >= 16, self.width <= most, self.height <= most,
            self.width * self.height <= most
        else {
            throw OfflineError.unsupported("/width", "sides have at least 16 pixels, and a picture at most \(most)")
        }
    }

    /// What a picture is made of.
    static func seed(_ prompt: String, _ seed: Int64) -> UInt64 {
        StableHash.of(
            kind: 32, prompt.scalarValues + [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)])
    }
}

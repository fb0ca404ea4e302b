// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A body of `multipart/form-data` (RFC 7578): fields in order, then one file.
struct MultipartForm: Sendable {
    let contentType: String
    let body: Data

    /// - Parameter name: of the file; letters, digits and dots.
    init(_ fields: [(name: String, value: String)], file: Data, named name: String, contentType type: String) {
        // The first boundary that stands nowhere in what is sent: the same form gives the same bytes.
        var number = 0
        func isTaken(_ boundary: String) -> Bool {
            fields.contains { $0.value.contains(boundary) } || file.firstRange(of: Data(boundary.utf8)) != nil
        }
        while isTaken("theatre-form-\(number)-") { number += 1 }
        let boundary = "theatre-form-\(number)-"
        var body = Data()
        for (field, value) in fields {
            body.append(
                contentsOf: "--\(boundary)\r\ncontent-disposition: form-data; name=\"\(field)\"\r\n\r\n\(value)\r\n"
                    .utf8)
        }
        let head =
            "--\(boundary)\r\ncontent-disposition: form-data; name=\"file\"; filename=\"\(name)\"\r\n"
            + "content-type: \(type)\r\n\r\n"
        body.append(contentsOf: head.utf8)
        body.append(file)
        body.append(contentsOf: "\r\n--\(boundary)--\r\n".utf8)
        self.body = body
        contentType = "multipart/form-data; boundary=\(boundary)"
    }
}

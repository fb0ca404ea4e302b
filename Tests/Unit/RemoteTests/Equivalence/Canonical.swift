// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Transcoding

@testable import Validator

extension ContractCatalog {
    /// The bytes of a message for comparison: as they are, but for the order of a map's entries, which means nothing and
    /// differs from process to process.
    func canonical(_ bytes: [UInt8], _ message: String) -> [UInt8] { WireCheck(self).canonical(bytes, message) }
}

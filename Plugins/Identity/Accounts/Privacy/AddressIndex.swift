// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Addresses
import TheatrePlugin

extension KeyedIndex {
    /// What stands for the addresses of accounts.
    init(_ scope: some CallScope) {
        self.init(scope, storage: "accounts.storage", purpose: "accounts address")
    }
}

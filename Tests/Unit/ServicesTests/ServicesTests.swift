// TheatreOS
// SPDX-License-Identifier: Apache-2.0
import Testing
@testable import Services
@Test func warms() { #expect(Bool(true)) }

// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePlugin

@Suite struct IdentityTests {
    @Test func idsGrowAlsoWhereTheClockStandsOrStepsBack() {
        var last = ULID.next(at: 1_750_000_000_000)
        for offset: Int64 in [0, 0, 1, -5, 0, 2, 2, 1] {
            let next = ULID.next(at: 1_750_000_000_000 + offset)
            #expect(last < next)
            #expect(last.description < next.description)
            last = next
        }
    }

    @Test func idsOfManyThreadsDiffer() async {
        let ids = await withTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<2000).map { _ in ULID.next(prefix: "ord", at: 1_750_000_000_000) } }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ids).count == 16_000)
        #expect(ids.allSatisfy { $0.hasPrefix("ord_") && $0.count == 30 })
    }

    @Test(arguments: ["00000000000000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01ARZ3NDEKTSV4RRFFQ69G5FAV"])
    func textReadsBack(_ text: String) {
        #expect(ULID(text)?.description == text)
        #expect(ULID(text.lowercased())?.description == text)
    }

    @Test(arguments: ["", "01ARZ3NDEKTSV4RRFFQ69G5FA", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAI"])
    func textThatIsNoIdIsRefused(_ text: String) {
        #expect(ULID(text) == nil)
    }

    @Test func timeIsKept() {
        #expect(ULID("01ARZ3NDEKTSV4RRFFQ69G5FAV")?.milliseconds == 1_469_922_850_259)
    }

    /// RFC 9562, appendix A.4.
    @Test func nameBasedIdIsThatOfTheStandard() {
        let id = UUIDv5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com")
        #expect(id?.description == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
        #expect(UUIDv5("6ba7b810", "www.example.com") == nil)
    }
}

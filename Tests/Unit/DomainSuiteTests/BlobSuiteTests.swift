// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePluginTesting

struct BlobSuiteTests {
    private static let breaches: [Breach<BlobFault>] = [
        Breach(.cuts, "whatWasPutComesBack", "came back as 200000 others"),
        Breach(.numbersItsETags, "whatWasPutComesBack", "is not their SHA-256"),
        Breach(.forgetsTypes, "whatWasPutComesBack", "of image/png were put, and it is said"),
        Breach(.forgetsMetadata, "whatWasPutComesBack", "came back as other metadata"),
        Breach(.saysOtherwiseLater, "whatWasPutComesBack", "differs between Put and Stat"),
        Breach(.readsAll, "aPartIsRead", "From 0, 4 of ten bytes are 0123456789"),
        Breach(.countsFromTheBegin, "aPartIsRead", "From -3, all of ten bytes are 0123456789"),
        Breach(.readsBeyond, "aPartIsRead", "A part beyond the end succeeded"),
        Breach(.takesAnyKey, "onlyKeysAreKeys", "The key \"\" succeeded"),
        Breach(.takesTooLongKeys, "onlyKeysAreKeys", "The key \"kkkk"),
        Breach(.mixesInstances, "keysBelongToInstanceAndTenant", "orders of tenant default sees another's blob"),
        Breach(.mixesTenants, "keysBelongToInstanceAndTenant", "drafting of tenant other sees another's blob"),
        Breach(.removesAcrossTenants, "keysBelongToInstanceAndTenant", "Another instance or tenant removed the blob"),
        Breach(.ignoresAbsence, "conditionsHold", "A second blob where none may be succeeded"),
        Breach(.ignoresMatches, "conditionsHold", "A change of what has changed succeeded"),
        Breach(.ignoresMatchesOnRemoval, "conditionsHold", "A removal of what has changed succeeded"),
        Breach(.removesNothing, "conditionsHold", "A blob that was removed is there"),
        Breach(.takesOtherBytes, "otherBytesThanAnnouncedAreRefused", "Bytes of another digest succeeded"),
        Breach(.keepsRefusedBytes, "otherBytesThanAnnouncedAreRefused", "The refused blob is there"),
        Breach(.losesTheOld, "otherBytesThanAnnouncedAreRefused", "blob.unknown"),
        Breach(.isOutOfOrder, "keysAreListedInOrderAndByPage", "The first page is [\"b/3\", \"b/2\"]"),
        Breach(.ignoresPrefixes, "keysAreListedInOrderAndByPage", "The first page is [\"a/1\", \"b/1\"]"),
        Breach(.ignoresPages, "keysAreListedInOrderAndByPage", "The second is [\"b/1\", \"b/2\"]"),
        Breach(.deniesMore, "keysAreListedInOrderAndByPage", "The first page is [\"b/1\", \"b/2\"]"),
        Breach(.findsAnything, "whatIsNotThereIsUnknown", "A blob that there is not succeeded"),
        Breach(.joinsInOrderOfArrival, "aBlobIsPutInParts", "The parts made another blob"),
        Breach(.showsUnfinished, "aBlobIsPutInParts", "before its upload was completed"),
        Breach(.inventsParts, "aBlobIsPutInParts", "with a part that is not there succeeded"),
        Breach(.forgetsCompletion, "aBlobIsPutInParts", "cannot be asked for again"),
        Breach(.keepsAborted, "anAbortedUploadIsGone", "Completing an aborted upload succeeded"),
    ]

    @Test(arguments: BlobSuite.cases) func aSoundStorePasses(_ rule: SuiteCase<BlobSubject>) async throws {
        try await rule.run(FaultyBlobs(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<BlobFault>) async throws {
        try await breach.isNoticed(by: BlobSuite.cases, FaultyBlobs(breach.fault).subject)
    }
}

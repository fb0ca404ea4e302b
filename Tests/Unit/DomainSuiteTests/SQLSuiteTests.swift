// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import Testing
import TheatrePluginTesting

struct SQLSuiteTests {
    private static let breaches: [Breach<SQLFault>] = [
        Breach(.runsMigrationsAgain, "migrationsRunOnce", "A schema that is up to date cannot be brought up to date"),
        Breach(.emptiesOnMigrating, "migrationsRunOnce", "A migration ran a second time"),
        Breach(.takesEditedMigrations, "aReleasedMigrationIsNotChanged", "A migration that was edited succeeded"),
        Breach(
            .takesMissingMigrations, "aReleasedMigrationIsNotChanged", "A list without an applied migration succeeded"),
        Breach(.keepsHalf, "allOfATransactionIsKeptOrNothing", "Half of a transaction was kept"),
        Breach(.ignoresExpectations, "allOfATransactionIsKeptOrNothing", "whose expectation fails succeeded"),
        Breach(.pointsNowhere, "allOfATransactionIsKeptOrNothing", "not to /statements/1"),
        Breach(.namesNoUnique, "brokenRulesAreNamed", "sql.failed is not sql.unique"),
        Breach(.namesNoCheck, "brokenRulesAreNamed", "sql.failed is not sql.check"),
        Breach(.namesNoSyntax, "brokenRulesAreNamed", "sql.failed is not sql.syntax"),
        Breach(.roundsIntegers, "valuesComeBackAsTheyWere", "9007199254740993 came back as 9007199254740992"),
        Breach(.losesEmptyTexts, "valuesComeBackAsTheyWere", "came back as another"),
        Breach(.cutsBytes, "valuesComeBackAsTheyWere", "70000 bytes came back as others"),
        Breach(.losesTheLastRow, "valuesComeBackAsTheyWere", "5 rows were kept and 4 are there"),
        Breach(.answersShort, "moreRowsThanAskedForIsAnError", "where two are allowed succeeded"),
        Breach(.leavesOutOfStreams, "aStreamHasAllRowsInOrder", "A stream of 600 rows gave"),
        Breach(.mixesTenants, "tenantsAndInstancesShareNothing", "A tenant sees another's rows"),
        Breach(.mixesInstances, "tenantsAndInstancesShareNothing", "A table of another instance succeeded"),
        Breach(.takesBareNames, "tenantsAndInstancesShareNothing", "by its bare name succeeded"),
        Breach(.losesUpdates, "noUpdateIsLost", "Four transactions added 1 each"),
        Breach(.keepsWhatWasRolledBack, "aTransactionThatThrowsLeavesNothing", "What was rolled back is there"),
    ]

    @Test(arguments: SQLSuite.cases) func aSoundDatabasePasses(_ rule: SuiteCase<SQLSubject>) async throws {
        try await rule.run(FaultySQL(nil).subject)
    }

    @Test(arguments: breaches) func aBreachIsNoticed(_ breach: Breach<SQLFault>) async throws {
        try await breach.isNoticed(by: SQLSuite.cases, FaultySQL(breach.fault).subject)
    }
}

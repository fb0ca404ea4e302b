// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import JSONSchema
internal import Runtime
internal import TheatreManifest

extension LibraryCheck {
    /// Wrong configurations are refused, odd ones survived.
    static let configuration = LibraryCheck(
        "config", "a wrong configuration is refused with its reason, an odd one never ends the process", quick: true,
        limit: 120, needsLife: false
    ) { run in
        let library = try run.library()
        let schema = try JSONSchema(run.subject.manifest.configuration)
        let samples = ConfigurationSamples(schema: run.subject.manifest.configuration)
        var counts = (wrong: 0, odd: 0, refused: 0)
        for sample in samples.violations(of: run.subject.configuration) {
            run.progress("create with \(sample.what)")
            let isCaught = !schema.validate(sample.value).isEmpty
            let isRefused = try create(sample, library, &run)
            counts.wrong += 1
            if !isCaught, !isRefused {
                run.fail("validator.bad_configuration", "A configuration with \(sample.what) was accepted.")
            }
        }
        for sample in samples.oddities(of: run.subject.configuration) where schema.validate(sample.value).isEmpty {
            run.progress("create with \(sample.what)")
            counts.odd += 1
            if try create(sample, library, &run) { counts.refused += 1 }
        }
        run.note("wrong", counts.wrong)
        run.note("odd", counts.odd)
        run.note("odd_refused", counts.refused)
    }

    /// True where `create` refuses it; how it does so is judged by the trial.
    private static func create(
        _ sample: ConfigurationSamples.Sample, _ library: LibraryHome, _ run: inout CheckRun
    ) throws -> Bool {
        let trial = Trial(run.subject, library, name: "configured")
        let code = try trial.create(sample.value)
        trial.destroy()
        run.take(trial)
        return code != THEATRE_OK
    }
}

// TheatreOS
// SPDX-License-Identifier: Apache-2.0

/// What is counted in an instance's place by its table and by the calls it serves: a count that every call changes is
/// better not beside what every call reads.
final class InstanceKeeper: Sendable {
    let instance: PluginInstance
    let records: CallRecords

    /// The one of this instance, before any call comes.
    init(_ instance: PluginInstance) {
        self.instance = instance
        records = instance.connection.records
        instance.keeper = .passUnretained(self)
    }
}

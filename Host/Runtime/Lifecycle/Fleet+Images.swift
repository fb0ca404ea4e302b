// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TheatreManifest

extension Fleet {
    /// The library of a file, mapped once for each digest.
    ///
    /// - Throws: `plugin.too_many_images` where one more build of the plugin may not be mapped: unmapping Swift code is
    ///   not safe, so that each stays until the process ends.
    func library(_ file: PluginFile) throws(LoadError) -> PluginLibrary {
        let known = shared.withLock { $0.libraries[file.digest] }
        if let known { return known }
        let name = file.manifest.name
        let count = images(of: name)
        guard count < residentLimit else {
            throw LoadError(
                plugin: name, code: "plugin.too_many_images",
                expected: "at most \(residentLimit) builds of the plugin mapped", found: "\(count), none of them this one",
                fix: "restart the host, which frees them, or raise resident_builds in 00-host.yaml")
        }
        return try PluginLibrary(file)
    }

    /// How many builds of a plugin are mapped.
    public func images(of plugin: String) -> Int {
        shared.withLock { $0.libraries.values.count { $0.file.manifest.name == plugin } }
    }
}

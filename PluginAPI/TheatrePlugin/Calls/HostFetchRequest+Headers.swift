// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import TheatreContracts

extension HostFetchRequest {
    /// Adds header fields, in order: names in lower case, values with `${secret:NAME}` where the grant lets them.
    public mutating func addHeaders(_ fields: some Sequence<(name: String, value: String)>) {
        for (name, value) in fields {
            var header = HostHeader()
            header.name = name
            header.value = value
            headers.append(header)
        }
    }
}

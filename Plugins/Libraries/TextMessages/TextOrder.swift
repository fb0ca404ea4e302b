// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import Addresses
public import TheatreContracts

/// A message as a provider is told of it: whom, which template, and its values.
public struct TextOrder: Sendable {
    /// Whom.
    public let number: PhoneNumber
    /// The template of the message's category.
    public let template: TextTemplate
    /// In the template's order.
    public let values: [String]

    /// What a request asks for.
    ///
    /// - Throws: what ``TextError`` has for an address, a category, data or a time that will not do.
    public init(_ request: NotificationSendRequest, _ templates: [TextTemplate], at now: Int64) throws {
        guard let number = PhoneNumber(request.address) else { throw TextError.badAddress }
        guard let template = templates.first(where: { $0.category == request.category }) else {
            throw TextError.noTemplate(request.category)
        }
        self.number = number
        self.template = template
        values = try template.values(from: request.data)
        guard request.validUntil == 0 || request.validUntil > now else { throw TextError.expired }
    }
}

// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import TheatreManifest
import Transcoding

struct OpenAPITests {
    static let manifest = """
        {"manifest": 1, "name": "Orders", "version": "1.0.0", "provides": [{"capability": "theatre.orders.v1.Orders"}],
         "operations": ["theatre.orders.v1.Orders/CreateOrder", "theatre.orders.v1.Orders/GetOrder",
                        "theatre.orders.v1.Orders/RefundOrder"],
         "routes": [
          {"method": "POST", "path": "/api/v1/orders", "operation": "theatre.orders.v1.Orders/CreateOrder", "access": "user",
           "resource": "order", "action": "create", "scope": "self", "audit": "change", "rate": "default", "body_limit": 4096,
           "idempotent": false, "request": "theatre.orders.v1.CreateOrderRequest", "response": "theatre.orders.v1.Order",
           "status": 201},
          {"method": "GET", "path": "/api/v1/orders/{order_id}", "operation": "theatre.orders.v1.Orders/GetOrder",
           "access": "anyone", "resource": "order", "action": "read", "scope": "self", "audit": "read", "rate": "default",
           "body_limit": 0, "idempotent": true, "request": "theatre.orders.v1.GetOrderRequest",
           "response": "theatre.orders.v1.Order"},
          {"method": "POST", "path": "/api/v1/orders/{order_id}:refund", "operation": "theatre.orders.v1.Orders/RefundOrder",
           "access": "user", "resource": "order", "action": "refund", "scope": "self", "audit": "change", "rate": "default",
           "body_limit": 4096, "idempotent": false, "request": "theatre.orders.v1.RefundOrderRequest",
           "response": "theatre.orders.v1.OrderRefund"}]}
        """

    static func document(reversed: Bool = false) throws -> JSONValue {
        let routes = try Manifest(json: Data(manifest.utf8)).routes.map { OpenAPIRoute($0, instance: "orders") }
        return OpenAPIDocument(
            routes: reversed ? routes.reversed() : routes, catalog: try TestCatalog.load(), version: "1.0.0",
            serverURL: "http://127.0.0.1:8080"
        ).value
    }

    @Test(
        arguments: [
            ("/openapi", #""3.1.0""#),
            ("/paths/~1api~1v1~1orders/post/operationId", #""orders.CreateOrder""#),
            ("/paths/~1api~1v1~1orders/post/parameters/0/name", #""Idempotency-Key""#),
            ("/paths/~1api~1v1~1orders/post/requestBody/required", "true"),
            ("/paths/~1api~1v1~1orders/post/responses/201/description", #""Success.""#),
            ("/paths/~1api~1v1~1orders/post/security", #"[{"bearer":[]}]"#),
            ("/paths/~1api~1v1~1orders~1{order_id}/get/security", "[]"),
            ("/paths/~1api~1v1~1orders~1{order_id}/get/parameters/0/in", #""path""#),
            (
                "/paths/~1api~1v1~1orders~1{order_id}:refund/post/requestBody/content/application~1json/schema/required",
                #"["amount"]"#
            ),
            ("/components/schemas/theatre.orders.v1.CreateOrderRequest.Request/properties/chips/maximum", "1000000"),
            ("/components/schemas/theatre.orders.v1.Order/properties/created_at/format", #""date-time""#),
            ("/components/schemas/theatre.orders.v1.Order/properties/status/enum/1", #""CREATED""#),
            ("/components/schemas/theatre.orders.v1.Order/description", #""An order.""#),
            ("/components/schemas/Error/required/0", #""error_code""#),
        ] as [(String, String)])
    func routesAndContractsAreDescribed(_ pointer: String, _ json: String) throws {
        let value = try #require(try Self.document().value(at: pointer), "nothing at \(pointer)")
        #expect(String(decoding: try value.json(), as: UTF8.self) == json)
    }

    @Test func theOrderOfRoutesDoesNotMatter() throws {
        #expect(try Self.document().json() == (try Self.document(reversed: true).json()))
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        let document = try Self.document()
        func references(_ value: JSONValue) -> [String] {
            switch value {
            case .array(let elements): elements.flatMap(references)
            case .object(let members): (members["$ref"]?.string.map { [$0] } ?? []) + members.values.flatMap(references)
            default: []
            }
        }
        let all = references(document)
        #expect(all.count > 5)
        for reference in all { #expect(document.value(at: String(reference.dropFirst())) != nil, "\(reference)") }
    }
}

// TheatreOS
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import OpenAPIFaults
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
            (
                "/components/schemas/theatre.orders.v1.Order/properties/status/allOf/0/$ref",
                ##""#/components/schemas/theatre.orders.v1.OrderStatus""##
            ),
            ("/components/schemas/theatre.orders.v1.OrderStatus/enum/1", #""CREATED""#),
            ("/components/schemas/theatre.orders.v1.Order/description", #""An order.""#),
            ("/components/schemas/Error/required/0", #""error_code""#),
            (
                "/paths/~1api~1v1~1orders/post/responses/402/$ref", ##""#/components/responses/PaymentRequired""##
            ),
            ("/components/responses/TooManyRequests/headers/Retry-After/required", "false"),
            ("/components/responses/Conflict/headers/X-Request-Id/required", "true"),
            (
                "/components/responses/Conflict/content/application~1json/schema/$ref",
                ##""#/components/schemas/Error""##
            ),
            (
                "/paths/~1api~1v1~1orders~1{order_id}:refund/post/requestBody/content/application~1json/schema/properties/reason/type",
                #"["string","null"]"#
            ),
            (
                "/tags/0/description",
                #""Orders of chips. The notification route is raw and belongs to theatre.http.v1.Handler.""#
            ),
            (
                "/paths/~1api~1v1~1orders/post/summary",
                #""Makes an order for a number of chips at the price of the day""#
            ),
            ("/paths/~1api~1v1~1orders~1{order_id}/get/summary", #""The bearer's order""#),
            ("/paths/~1api~1v1~1orders~1{order_id}/get/description", #""The bearer's order. 404 for another's.""#),
            (
                "/components/schemas/theatre.orders.v1.CreateOrderRequest.Request/properties/chips/description",
                #""How many chips, 1 to 1,000,000.""#
            ),
        ] as [(String, String)])
    func routesAndContractsAreDescribed(_ pointer: String, _ json: String) throws {
        let value = try #require(try Self.document().value(at: pointer), "nothing at \(pointer)")
        #expect(String(decoding: try value.json(), as: UTF8.self) == json)
    }

    /// What a route may answer follows from what it declares.
    @Test(
        arguments: [
            ("/api/v1/orders", "post", [402, 403, 408, 409, 413, 415, 422, 423], []),
            ("/api/v1/orders/{order_id}", "get", [404, 429], [402, 403, 408, 409, 413, 415, 422, 423]),
        ] as [(String, String, Set<Int>, Set<Int>)])
    func errorsFollowFromTheDeclaration(_ path: String, _ method: String, _ there: Set<Int>, _ missing: Set<Int>) throws
    {
        let responses = try Self.document().value(at: "/paths/\(path.replacing("/", with: "~1"))/\(method)/responses")
        let statuses = Set((responses?.object ?? [:]).keys.compactMap { Int($0) })
        #expect(statuses.isSuperset(of: there.union([400, 401, 500, 503])) && statuses.isDisjoint(with: missing))
    }

    @Test func anEnumSaysWhatItsValuesMean() throws {
        let text = try Self.document().value(at: "/components/schemas/theatre.orders.v1.OrderStatus/description")?
            .string
        #expect(text?.hasPrefix("Where an order stands.\n\n- `UNSPECIFIED`: Not set.\n- `CREATED`: Made.") == true)
    }

    @Test func theDocumentIsAnOpenAPIDocument() throws {
        #expect(OpenAPIFault.all(of: try Self.document()) == [])
    }

    /// The check above can fail: each of these takes something away that must be there.
    @Test(
        arguments: [
            ("/info/title", "/info/title"), ("/paths/~1api~1v1~1orders/post/summary", "summary"),
            ("/paths/~1api~1v1~1orders/post/responses", "responses"),
            ("/paths/~1api~1v1~1orders/post/security", "security"),
            ("/paths/~1api~1v1~1orders~1{order_id}/get/parameters", "{order_id}"),
            ("/components/schemas/theatre.orders.v1.Order", "theatre.orders.v1.Order"),
            ("/components/securitySchemes/bearer", "bearer"),
        ])
    func aDocumentThatLacksSomethingIsFound(_ pointer: String, _ said: String) throws {
        let faults = OpenAPIFault.all(of: try Self.document().without(pointer[...]))
        #expect(faults.contains { $0.contains(said) }, "\(faults)")
    }

    @Test func withoutCommentsThereAreNamesInstead() throws {
        let routes = try Manifest(json: Data(Self.manifest.utf8)).routes.map { OpenAPIRoute($0, instance: "orders") }
        let catalog = try ContractCatalog(descriptorSets: [TestCatalog.contracts()], comments: false)
        let document = OpenAPIDocument(routes: routes, catalog: catalog, version: "1.0.0").value
        #expect(document.value(at: "/paths/~1api~1v1~1orders/post/summary")?.string == "Create order")
        #expect(OpenAPIFault.all(of: document) == [])
    }

    @Test func theOrderOfRoutesDoesNotMatter() throws {
        #expect(try Self.document().json() == (try Self.document(reversed: true).json()))
    }
}

// TheatreOS
// SPDX-License-Identifier: Apache-2.0

public import FoundationEssentials
import SwiftProtobuf
public import TheatreContracts
public import TheatrePlugin

extension ModelServer {
    /// The largest answer that the host brings.
    public static let mostBytes: UInt32 = 16 << 20

    /// As ``fetch(_:_:)``, for answers that are too large for one message.
    public func collect(_ request: HostFetchRequest, _ call: Call) async throws -> HostFetchResponse {
        var whole = HostFetchResponse()
        for try await part in receive(request, call) {
            switch part {
            case .head(let head): whole = head
            case .data(let data): whole.body.append(data)
            }
        }
        return whole
    }

    /// What comes of an answer that is not kept.
    public enum Received: Sendable {
        /// First: status 200 and the headers.
        case head(HostFetchResponse)
        /// Then bytes.
        case data(Data)
    }

    /// An answer as it comes; throws where it is not 200, or breaks off.
    public func receive(_ request: HostFetchRequest, _ call: Call) -> ReceivedBytes {
        var request = request
        request.maxResponseBytes = Self.mostBytes
        return ReceivedBytes(server: self, request: request, call: call)
    }

    /// The bytes of an answer, asked for when the first is.
    public struct ReceivedBytes: AsyncSequence, Sendable {
        fileprivate let server: ModelServer
        fileprivate let request: HostFetchRequest
        fileprivate let call: Call

        /// Asks for the answer.
        public func makeAsyncIterator() -> Iterator { Iterator(bytes: self) }

        /// Reads the answer.
        public struct Iterator: AsyncIteratorProtocol {
            fileprivate let bytes: ReceivedBytes
            private var stream: MessageStream<HostFetchPart>.AsyncIterator?
            private var isAccepted = false

            fileprivate init(bytes: ReceivedBytes) { self.bytes = bytes }

            /// The next that came; nil at the answer's end.
            public mutating func next() async throws -> Received? {
                do { return try await read() } catch let error as PluginError where error.reason.hasPrefix("egress.") {
                    throw isAccepted ? ContentError.brokenOff(error) : ContentError.transport(error)
                }
            }

            private mutating func read() async throws -> Received? {
                if stream == nil {
                    stream = try await HostEgressClient(bytes.call).fetchStream(bytes.request).makeAsyncIterator()
                }
                var refused: HostFetchResponse?
                while let part = try await stream?.next() {
                    switch part.part {
                    case .head(let head) where head.status == 200:
                        isAccepted = true
                        return .head(head)
                    case .head(let head): refused = head
                    case .data(let data) where refused == nil: return .data(data)
                    case .data(let data):
                        if refused?.body.count ?? 0 < 64 << 10 { refused?.body.append(data) }
                    case nil: continue
                    }
                }
                if let refused { throw bytes.server.refused(refused, bytes.call) }
                guard isAccepted else { throw ContentError.broken() }
                return nil
            }
        }
    }
}

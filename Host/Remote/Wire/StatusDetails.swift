// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import Runtime
internal import TheatreContracts

/// The trailer in which gRPC carries the details of a failure: a google.rpc.Status, of which three members are of use.
enum StatusDetails {
    static let key = "grpc-status-details-bin"
    static let type = "type.googleapis.com/theatre.remote.v1.Error"

    /// code = 1, message = 2, details = 3 of google.protobuf.Any {type_url = 1, value = 2}.
    ///
    /// - Parameter message: of the status, where that is not the error's.
    static func bytes(of error: CallError, message: String? = nil) -> [UInt8] {
        let detail = ProtoWriter.text(1, type) + ProtoWriter.bytes(2, error.wire.wireBytes)
        return ProtoWriter.number(1, UInt64(error.code.rawValue)) + ProtoWriter.text(2, message ?? error.message)
            + ProtoWriter.bytes(3, detail)
    }

    /// The error that came, where one did. Its code is that of the status, whatever it says itself.
    static func error(in trailers: Metadata, code: StatusCode) -> CallError? {
        for value in trailers[binaryValues: key] {
            for field in ProtoReader(value) where field.number == 3 {
                var kind: ArraySlice<UInt8> = []
                var content: ArraySlice<UInt8> = []
                for part in ProtoReader(Array(field.bytes)) {
                    if part.number == 1 { kind = part.bytes }
                    if part.number == 2 { content = part.bytes }
                }
                guard kind.elementsEqual(type.utf8), let message = try? RemoteError(wire: Array(content)) else {
                    continue
                }
                var error = CallError(message)
                error.code = code
                return error
            }
        }
        return nil
    }
}

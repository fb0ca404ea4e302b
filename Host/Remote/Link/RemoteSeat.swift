// TheatreOS
// SPDX-License-Identifier: Apache-2.0

internal import CTheatrePlugin
internal import Runtime
internal import SwiftProtobuf
internal import Synchronization
internal import TheatreContracts

/// What the dispatcher holds of an instance at a server: a function table, and behind it the link for as long as there
/// is one. Never freed, since the dispatcher refers to it for as long as it lives; the link is.
final class RemoteSeat: @unchecked Sendable {
    // `table` is written in init and not changed; `keptText` is touched on the control thread alone.
    let table: UnsafeMutablePointer<theatre_instance>
    private weak let link: RemoteLink?
    private let seconds: Int
    private var keptText: [UnsafeMutableRawBufferPointer] = []

    init(_ link: RemoteLink) {
        self.link = link
        seconds = link.plan.controlSeconds
        table = .allocate(capacity: 1)
        table.initialize(to: theatre_instance())
        fill()
    }

    private func fill() {
        table.pointee.struct_size = UInt32(MemoryLayout<theatre_instance>.size)
        table.pointee.`self` = Unmanaged.passRetained(self).toOpaque()
        table.pointee.activate = { RemoteSeat.at($0)?.step(.activate, $1) ?? THEATRE_UNAVAILABLE }
        table.pointee.self_test = { RemoteSeat.at($0)?.step(.selfTest, $1) ?? THEATRE_UNAVAILABLE }
        table.pointee.deactivate = { _ = RemoteSeat.at($0)?.step(.deactivate, nil) }
        table.pointee.destroy = { _ = RemoteSeat.at($0)?.step(.destroy, nil) }
        table.pointee.invoke = { seat, request in
            guard let link = RemoteSeat.at(seat)?.link, let request else { return THEATRE_UNAVAILABLE }
            link.invoke(request.pointee)
            return THEATRE_OK
        }
        table.pointee.reply = { seat, call, result in
            guard let result else { return THEATRE_INVALID_ARGUMENT }
            RemoteSeat.at(seat)?.link?.session?.calls.receive(call, .reply(Ending(result.pointee)))
            return THEATRE_OK
        }
        table.pointee.send = { seat, call, chunk in
            guard let chunk else { return THEATRE_INVALID_ARGUMENT }
            return RemoteSeat.at(seat)?.pass(call, chunk.pointee) ?? THEATRE_NOT_FOUND
        }
        table.pointee.credit = { seat, call, bytes in
            guard let link = RemoteSeat.at(seat)?.link else { return }
            if let served = link.call(call) { return served.credited() }
            link.session?.calls.receive(call, .credit(bytes))
        }
        // A call that the instance made and that is given up ends by its reply.
        table.pointee.cancel = { seat, call, _ in RemoteSeat.at(seat)?.link?.call(call)?.cancel() }
    }

    private static func at(_ raw: UnsafeMutableRawPointer?) -> RemoteSeat? {
        raw.map { Unmanaged<RemoteSeat>.fromOpaque($0).takeUnretainedValue() }
    }

    private func pass(_ call: UInt64, _ chunk: theatre_chunk) -> theatre_code {
        guard let link else { return THEATRE_NOT_FOUND }
        let end = chunk.flags & THEATRE_CHUNK_END != 0
        if let served = link.call(call) {
            served.send(chunk.data.array, end: end)
        } else {
            link.session?.calls.receive(call, .chunk(chunk.data.array, end: end))
        }
        return THEATRE_OK
    }

    // MARK: steps

    private func step(_ step: RemoteStep, _ error: UnsafeMutablePointer<theatre_error>?) -> theatre_code {
        guard let session = link?.session else { return THEATRE_OK }
        let outcome = session.take(step, .with { $0.step = step }, seconds: seconds)
        // A server without sessions has no steps.
        if case .ended(.unsupported) = outcome { return THEATRE_OK }
        guard let failure = failure(outcome) else { return THEATRE_OK }
        return fail(failure, error)
    }

    /// Why a step failed; nil where it did not.
    func failure(_ outcome: SessionClient.Outcome) -> CallError? {
        switch outcome {
        case .done: nil
        case .failed(let error): error
        case .ended(.lost(let cause)):
            CallError(.unavailable, "remote.away", "The instance's server was lost: \(cause).", retry: .safe)
        case .ended:
            CallError(.unavailable, "remote.away", "The session with the instance's server ended.", retry: .safe)
        case .silent:
            CallError(
                .deadlineExceeded, "remote.no_answer", "The instance's server did not answer within \(seconds) s.",
                retry: .safe)
        }
    }

    /// Fills in an error whose texts stay until the next control function.
    func fail(_ failure: CallError, _ error: UnsafeMutablePointer<theatre_error>?) -> theatre_code {
        for text in keptText { text.deallocate() }
        keptText = []
        failure.withCError { filled in
            filled.reason = keep(filled.reason)
            filled.message = keep(filled.message)
            filled.detail = keep(filled.detail)
            error?.pointee = filled
        }
        return failure.code.rawValue
    }

    private func keep(_ text: theatre_bytes) -> theatre_bytes {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(text.size), alignment: 1)
        copy.copyBytes(from: text.array)
        keptText.append(copy)
        return theatre_bytes(borrowing: UnsafeRawBufferPointer(copy))
    }
}

extension Ending {
    /// What the dispatcher says of a call's end.
    init(_ result: theatre_result) {
        guard result.code != THEATRE_OK else {
            self = .answered(result.payload.array)
            return
        }
        let code = StatusCode(lenient: result.code)
        self = .failed(
            result.error.map { CallError(code, $0.pointee) }
                ?? CallError(code, "remote.malformed", "The call failed without a reason."))
    }
}

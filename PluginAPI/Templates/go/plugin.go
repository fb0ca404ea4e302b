// {{name}}: {{summary}}
package main

// #cgo CFLAGS: -std=c11 -fvisibility=hidden
// #cgo LDFLAGS: ${SRCDIR}/exports.a
// #include "seam.h"
import "C"

import (
	"embed"
	"errors"
	"runtime/cgo"
	"unsafe"
)

// seam.c puts both into sections of their own; this makes the build notice when one changes.
//
//go:embed plugin.json contracts.binpb
var _embedded embed.FS

// Code is one of gRPC's canonical status codes.
type Code int32

// Those that operations use most.
const (
	InvalidArgument    Code = 3
	NotFound           Code = 5
	AlreadyExists      Code = 6
	PermissionDenied   Code = 7
	ResourceExhausted  Code = 8
	FailedPrecondition Code = 9
	Unimplemented      Code = 12
	Internal           Code = 13
	Unavailable        Code = 14
)

// Error says why a call failed.
type Error struct {
	Code Code
	// What the call did: 0 nothing, 1 perhaps something, 2 it happened and only the answer failed.
	Effect uint32
	// Stable, lower-case, dotted.
	Reason string
	// One sentence, without secrets.
	Message string
}

func (e *Error) Error() string { return e.Reason + ": " + e.Message }

func fail(code Code, reason, message string) *Error {
	return &Error{Code: code, Reason: reason, Message: message}
}

// Call is a call that is being served.
type Call struct {
	live *C.live
	id   C.theatre_id
	// Operation is a place in the manifest's list.
	Operation uint32
	// IdempotencyKey is stable over attempts; empty where there is none.
	IdempotencyKey string
	payload        []byte
	context        []byte
}

// Context says who asks, for which tenant.
func (c *Call) Context() *HostContext {
	context := &HostContext{}
	if !decode(context, c.context) {
		return &HostContext{}
	}
	return context
}

// NowMilliseconds is the time since 1970 by the host's clock, the only one a plugin reads.
func (c *Call) NowMilliseconds() int64 { return int64(C.seam_now(c.live) / 1_000_000) }

// Debug writes one log line. The message is constant text, fields a JSON object or empty.
func (c *Call) Debug(message, fields string) {
	C.seam_log(c.live, data(message), C.uint64_t(len(message)), data(fields), C.uint64_t(len(fields)))
}

// serve decodes the request, runs the operation and encodes its answer.
func serve[Q any, A any, QM messagePointer[Q], AM messagePointer[A]](call *Call, operation func(*Call, *Q) (*A, error)) ([]byte, error) {
	request := new(Q)
	if !decode(QM(request), call.payload) {
		return nil, fail(InvalidArgument, "{{snake}}.malformed_request", "The bytes are not the operation's request.")
	}
	answer, err := operation(call, request)
	if err != nil {
		return nil, err
	}
	return encode(AM(answer)), nil
}

func notWritten() *Error {
	return fail(Unimplemented, "{{snake}}.not_written", "This operation is not written yet; nothing was done.")
}

// outcome runs an operation and lets no panic out.
func outcome(state *State, call *Call) (payload []byte, failure *Error) {
	defer func() {
		if recover() != nil {
			payload, failure = nil, &Error{Code: Internal, Effect: 1, Reason: "{{snake}}.panicked", Message: "The operation panicked."}
		}
	}()
	payload, err := invoke(state, call)
	if err == nil {
		return payload, nil
	}
	if errors.As(err, &failure) {
		return nil, failure
	}
	return nil, &Error{Code: Internal, Effect: 1, Reason: "{{snake}}.unexpected", Message: "The operation failed."}
}

// data is what C reads of a text; it copies what it keeps.
func data(text string) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.StringData(text))) }

func bytesOf(bytes C.theatre_bytes) []byte {
	if bytes.size == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(bytes.data)), int(bytes.size))
}

//export pluginCreate
func pluginCreate() C.uintptr_t { return C.uintptr_t(cgo.NewHandle(&State{})) }

//export pluginDestroy
func pluginDestroy(state C.uintptr_t) { cgo.Handle(state).Delete() }

//export pluginInvoke
func pluginInvoke(instance *C.live, request *C.theatre_request) {
	call := &Call{
		live:           instance,
		id:             request.call,
		Operation:      uint32(request.operation),
		IdempotencyKey: string(bytesOf(request.idempotency_key)),
		payload:        bytesOf(request.payload),
		context:        bytesOf(request.context),
	}
	payload, failure := outcome(cgo.Handle(instance.state).Value().(*State), call)
	if failure == nil {
		failure = &Error{}
	}
	C.seam_complete(instance, call.id, (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(payload))), C.uint64_t(len(payload)),
		C.theatre_code(failure.Code), C.uint32_t(failure.Effect), data(failure.Reason), C.uint64_t(len(failure.Reason)),
		data(failure.Message), C.uint64_t(len(failure.Message)))
}

// A shared library has no use for it; the build mode wants it.
func main() {}

#!/usr/bin/env python3
# TheatreOS
# SPDX-License-Identifier: Apache-2.0
"""The plugins Parrot and Good as a server in Python: ordinary gRPC, nothing of TheatreOS but its contracts.

parrot.py [--no-watch] [--not-serving] CONTRACTS.binpb LISTEN [CA CERTIFICATE KEY]: writes its address to descriptor 3 and
serves until it is killed. SIGUSR1 makes it say NOT_SERVING of its health, as it does from the start with --not-serving,
SIGUSR2 SERVING again; with --no-watch only to who asks.
"""
import os
import signal
import sys
import threading
import time
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

WATCHED = "--no-watch" not in sys.argv
CONTRACTS, LISTEN, *TLS = [word for word in sys.argv[1:] if not word.startswith("--")]

pool = descriptor_pool.DescriptorPool()
with open(CONTRACTS, "rb") as file:
    for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        pool.Add(proto)
factory = message_factory.MessageFactory(pool)


def message(name):
    return factory.GetPrototype(pool.FindMessageTypeByName(name))


ChatRequest, ChatResponse = message("theatre.content.v1.ChatRequest"), message("theatre.content.v1.ChatResponse")
ChatPart, Usage = message("theatre.content.v1.ChatPart"), message("theatre.content.v1.Usage")
SendRequest, Delivery = message("theatre.notification.v1.SendRequest"), message("theatre.notification.v1.Delivery")
Header, Error = message("theatre.remote.v1.CallHeader"), message("theatre.remote.v1.Error")
Context = message("theatre.host.v1.Context")
HTTPRequest, HTTPResponse = message("theatre.http.v1.Request"), message("theatre.http.v1.Response")

cancelled = waiting = 0
lock = threading.Lock()
# What it says of its health: 1 SERVING, 2 NOT_SERVING. Handlers of signals take no locks.
health = 2 if "--not-serving" in sys.argv else 1
signal.signal(signal.SIGUSR1, lambda *_: say(2))
signal.signal(signal.SIGUSR2, lambda *_: say(1))
# Whoever starts it may have blocked them.
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1, signal.SIGUSR2})


def say(what):
    global health
    health = what


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def fail(context, code, reason, text, effect=0, retry=0, after=0, detail=""):
    """Ends the call with the details that the host reads: a google.rpc.Status with one theatre.remote.v1.Error."""
    number = code.value[0]
    error = Error(code=number, effect=effect, retry=retry, retry_after_ms=after, reason=reason, message=text,
                  detail=detail)
    kind = b"type.googleapis.com/theatre.remote.v1.Error"
    status = b"\x08" + varint(number) + field(2, text.encode()) + field(
        3, field(1, kind) + field(2, error.SerializeToString()))
    context.set_trailing_metadata((("grpc-status-details-bin", status),))
    context.abort(code, text)


def header(context):
    for key, value in context.invocation_metadata():
        if key == "theatre-call-bin":
            return Header.FromString(value)
    return Header()


def words(request, context):
    global cancelled, waiting
    if not request.messages:
        fail(context, grpc.StatusCode.INVALID_ARGUMENT, "parrot.silence", "There is no message to say back.",
             detail="/messages")
    found = request.messages[-1].text.split(" ")
    found = [word for word in found if word]
    if found[:1] == ["refuse"]:
        fail(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "parrot.tired", "The parrot sleeps 💤; ask again.", retry=2,
             after=1500)
    if found[:1] == ["applied"]:
        fail(context, grpc.StatusCode.INTERNAL, "parrot.half", "It was said, and nobody heard it.", effect=2)
    if found[:1] == ["wait"]:
        done = threading.Event()
        context.add_callback(done.set)
        with lock:
            waiting += 1
        done.wait(60)
        with lock:
            waiting -= 1
            cancelled += 1
    if found[:1] == ["until"]:
        while health == 1 and context.is_active():
            time.sleep(0.01)
    if found[:1] == ["left"]:
        found = [str(round(context.time_remaining()))]
    if found[:1] == ["cancelled"]:
        found = [str(cancelled)]
    if found[:1] == ["waiting"]:
        found = [str(waiting)]
    return found


def usage(count):
    return Usage(input_tokens=count, output_tokens=count)


def complete(request, context):
    found = words(request, context)
    return ChatResponse(text=" ".join(reversed(found)), finish_reason=1, usage=usage(len(found)), model="parrot-1")


def stream(request, context):
    found = words(request, context)
    for index, word in enumerate(reversed(found)):
        yield ChatPart(text=word, model="" if index else "parrot-1")
    yield ChatPart(finish_reason=1, usage=usage(len(found)))


def send(request, context):
    if not request.body:
        fail(context, grpc.StatusCode.INVALID_ARGUMENT, "notification.rejected",
             "A parrot wants something to say: «…».", detail="/body")
    if request.body == "bare":
        context.abort(grpc.StatusCode.ABORTED, "no details at all")
    if request.body == "die":
        os._exit(1)
    call = header(context)
    who = Context.FromString(call.context)
    reference = f"{who.tenant}:{who.principal}:{call.idempotency_key}:{call.attempt}"
    return Delivery(provider_reference=reference)


def handle(request, context):
    return HTTPResponse(status=200, content_type="text/plain", body=b"from another language")


def unary(body, kind):
    return grpc.unary_unary_rpc_method_handler(body, kind.FromString, lambda answer: answer.SerializeToString())


KNOWN = {"", "theatre.content.v1.Chat", "theatre.http.v1.Handler", "theatre.notification.v1.Channel"}


def check(request, context):
    if request[2:].decode() not in KNOWN:
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    return b"\x08" + bytes([health])


def watch(request, context):
    told = 0
    while context.is_active():
        if told != health:
            told = health
            yield b"\x08" + bytes([told])
        time.sleep(0.02)


server = grpc.server(futures.ThreadPoolExecutor(32))
server.add_generic_rpc_handlers((
    grpc.method_handlers_generic_handler("theatre.content.v1.Chat", {
        "Complete": unary(complete, ChatRequest),
        "Stream": grpc.unary_stream_rpc_method_handler(
            stream, ChatRequest.FromString, lambda answer: answer.SerializeToString()),
    }),
    grpc.method_handlers_generic_handler("theatre.notification.v1.Channel", {"Send": unary(send, SendRequest)}),
    grpc.method_handlers_generic_handler("theatre.http.v1.Handler", {"Handle": unary(handle, HTTPRequest)}),
    grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
        "Check": grpc.unary_unary_rpc_method_handler(check),
        **({"Watch": grpc.unary_stream_rpc_method_handler(watch)} if WATCHED else {}),
    }),
))
if TLS:
    ca, certificate, key = (open(path, "rb").read() for path in TLS)
    credentials = grpc.ssl_server_credentials([(key, certificate)], root_certificates=ca, require_client_auth=True)
    port = server.add_secure_port(LISTEN, credentials)
else:
    port = server.add_insecure_port(LISTEN)
server.start()
address = LISTEN if LISTEN.startswith("unix:") else f"{LISTEN.rsplit(':', 1)[0]}:{port}"
os.write(3, f"{address}\n".encode())
os.close(3)
# A signal that another thread takes is seen to by this one, the next time it wakes.
while True:
    time.sleep(0.05)

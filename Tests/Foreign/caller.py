#!/usr/bin/env python3
# TheatreOS
# SPDX-License-Identifier: Apache-2.0
"""A host in Python: ordinary gRPC against `theatre plugin serve` of Parrot, nothing of TheatreOS but its contracts.

caller.py CONTRACTS.binpb ADDRESS VERSION MANIFEST_SHA256: makes an instance in a session, calls it, and writes what it heard
to descriptor 3, a line for each call: a name, the status' code, and the answer or the reason in the status' details.
"""
import os
import queue
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

CONTRACTS, ADDRESS, VERSION, DIGEST = sys.argv[1:]

pool = descriptor_pool.DescriptorPool()
with open(CONTRACTS, "rb") as file:
    for proto in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        pool.Add(proto)
factory = message_factory.MessageFactory(pool)


def message(name):
    return factory.GetPrototype(pool.FindMessageTypeByName(f"theatre.{name}"))


HostFrame, PluginFrame = message("remote.v1.HostFrame"), message("remote.v1.PluginFrame")
Header, Error = message("remote.v1.CallHeader"), message("remote.v1.Error")
SendRequest, Delivery = message("notification.v1.SendRequest"), message("notification.v1.Delivery")
CREATE, ACTIVATE, SELF_TEST, DEACTIVATE, DESTROY = range(1, 6)
SESSION = 815

out = os.fdopen(3, "w")


def reason(error):
    """The reason in google.rpc.Status: details = 3 of Any {value = 2}; each field is short enough for one byte of length."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            at = value.find(b"theatre.remote.v1.Error")
            rest = value[at + len(b"theatre.remote.v1.Error"):]
            size, start = rest[1], 2
            if size & 0x80:
                size, start = size & 0x7F | rest[2] << 7, 3
            return Error.FromString(rest[start:start + size]).reason
    return "-"


def say(name, call):
    try:
        print(name, "OK", call().provider_reference, file=out)
    except grpc.RpcError as error:
        print(name, error.code().name, reason(error), file=out)


channel = grpc.insecure_channel(ADDRESS)
frames = queue.Queue()
session = channel.stream_stream(
    "/theatre.remote.v1.Session/Open", lambda frame: frame.SerializeToString(), PluginFrame.FromString)(
        iter(frames.get, None))


def step(frame):
    frames.put(frame)
    for answer in session:
        if answer.HasField("done"):
            print("step", answer.done.step, answer.done.error.reason or "OK", file=out)
            return


create = HostFrame()
create.create.session, create.create.instance, create.create.generation = SESSION, "abroad", 1
create.create.plugin, create.create.version = "Parrot", VERSION
create.create.manifest_sha256, create.create.configuration = bytes.fromhex(DIGEST), b"{}"
step(create)
step(HostFrame(step=ACTIVATE))
step(HostFrame(step=SELF_TEST))

send = channel.unary_unary(
    "/theatre.notification.v1.Channel/Send", lambda request: request.SerializeToString(), Delivery.FromString)
known = (("theatre-call-bin", Header(session=SESSION, attempt=1, idempotency_key="key").SerializeToString()),)
hello = SendRequest(body="hello")
say("plain", lambda: send(hello, metadata=known, timeout=60))
say("unbounded", lambda: send(hello, metadata=known))
say("refused", lambda: send(SendRequest(), metadata=known, timeout=60))
say("headless", lambda: send(hello, timeout=60))

for last in (DEACTIVATE, DESTROY):
    step(HostFrame(step=last))
frames.put(None)
say("gone", lambda: send(hello, metadata=known, timeout=60))
out.close()

//! Between the interface and the operations: decodes requests, completes calls, tells errors and writes log lines.

const std = @import("std");
const abi = @import("abi.zig");
const operations = @import("operations.zig");
const wire = @import("wire.zig");

const allocator = std.heap.c_allocator;

/// A failed check ends the process by a signal and writes nothing: in mode isolated the host tells which, and goes on.
pub const panic = std.debug.no_panic;

// The host reads both from the file before anything of the library runs.
const manifest: [@embedFile("manifest").len]u8 linksection(".theatre.manifest") = @embedFile("manifest").*;
const contracts: [@embedFile("contracts").len]u8 linksection(".theatre.contracts") = @embedFile("contracts").*;

const plugin = abi.Plugin{
    .name = .{ .data = "{{name}}", .size = "{{name}}".len },
    .version = .{ .data = "0.1.0", .size = "0.1.0".len },
    .manifest = .{ .data = &manifest, .size = manifest.len },
    .contracts = .{ .data = &contracts, .size = contracts.len },
    .create = create,
};

/// The entry: pure, callable any number of times.
export fn theatre_plugin_v1_{{name}}() *const abi.Plugin {
    return &plugin;
}

/// A call that is being served. It lives as long as its operation runs, and so does the request.
pub const Call = struct {
    host: *const abi.Host,
    request: *const abi.Request,
    /// Memory that is freed when the operation has returned.
    arena: std.mem.Allocator,

    /// Completes the call. Do so, or `fail`, once.
    pub fn answer(call: *const Call, response: anytype) void {
        const bytes = wire.encode(response, call.arena) catch {
            return call.failWith(.{
                .code = .resource_exhausted,
                .effect = 1,
                .reason = .of("{{snake}}.memory"),
                .message = .of("There is no memory left."),
            });
        };
        _ = call.host.complete(call.host.ctx, call.request.call, &.{ .payload = .of(bytes) });
    }

    /// Completes the call with an error. `reason` is a stable code, `message` one sentence without secrets. It says that
    /// nothing was done.
    pub fn fail(call: *const Call, code: abi.Code, reason: []const u8, message: []const u8) void {
        call.failWith(.{ .code = code, .reason = .of(reason), .message = .of(message) });
    }

    pub fn failWith(call: *const Call, failure: abi.Error) void {
        _ = call.host.complete(call.host.ctx, call.request.call, &.{ .code = failure.code, .failure = &failure });
    }

    /// One log line at level debug. `message` is constant text, `fields` a JSON object or empty.
    pub fn debug(call: *const Call, message: []const u8, fields: []const u8) void {
        if (call.host.log) |log| log(call.host.ctx, 1, .of(message), .of(fields));
    }
};

/// An operation: null is refused.
pub const Operation = ?*const fn (*operations.State, *const Call) void;

/// An operation whose request is decoded first.
pub fn operation(comptime Request: type, comptime handle: fn (*operations.State, *const Call, *const Request) void) Operation {
    return struct {
        fn serve(state: *operations.State, call: *const Call) void {
            const request = wire.decode(Request, call.request.payload.slice(), call.arena) catch {
                return call.fail(.invalid_argument, "{{snake}}.malformed_request", "The bytes are not the operation's request.");
            };
            handle(state, call, &request);
        }
    }.serve;
}

/// One instance: the table that the host holds, and what the operations work on.
const Live = struct {
    table: abi.Instance,
    host: *const abi.Host,
    state: operations.State,
};

fn create(host: *const abi.Host, _: *const abi.Create, instance: *?*abi.Instance, failure: *abi.Error) callconv(.c) abi.Code {
    const live = allocator.create(Live) catch {
        failure.* = .{
            .code = .resource_exhausted,
            .reason = .of("{{snake}}.memory"),
            .message = .of("There is no memory left."),
        };
        return failure.code;
    };
    live.* = .{
        .host = host,
        .state = .{},
        .table = .{
            .self = live,
            .activate = activate,
            .invoke = invoke,
            .reply = reply,
            .send = send,
            .credit = credit,
            .deactivate = deactivate,
            .destroy = destroy,
        },
    };
    instance.* = &live.table;
    return .ok;
}

fn itself(self: *anyopaque) *Live {
    return @ptrCast(@alignCast(self));
}

fn activate(_: *anyopaque, _: *abi.Error) callconv(.c) abi.Code {
    return .ok;
}

fn invoke(self: *anyopaque, request: *const abi.Request) callconv(.c) abi.Code {
    const live = itself(self);
    var arena = std.heap.ArenaAllocator.init(allocator);
    defer arena.deinit();
    const call = Call{ .host = live.host, .request = request, .arena = arena.allocator() };
    if (request.operation >= operations.table.len) {
        call.fail(.unimplemented, "{{snake}}.unknown_operation", "The manifest has no such operation.");
    } else if (operations.table[request.operation]) |serve| {
        serve(&live.state, &call);
    } else {
        call.fail(.unimplemented, "{{snake}}.not_written", "This operation is not written yet; nothing was done.");
    }
    return .ok;
}

/// This plugin makes no calls of its own.
fn reply(_: *anyopaque, _: abi.Id, _: *const abi.Result) callconv(.c) abi.Code {
    return .ok;
}

/// No operation streams yet: what comes for one that was refused is too late.
fn send(_: *anyopaque, _: abi.Id, _: *const abi.Chunk) callconv(.c) abi.Code {
    return .not_found;
}

fn credit(_: *anyopaque, _: abi.Id, _: u64) callconv(.c) void {}

fn deactivate(_: *anyopaque) callconv(.c) void {}

fn destroy(self: *anyopaque) callconv(.c) void {
    allocator.destroy(itself(self));
}

var completions: u32 = 0;
var last: abi.Code = .ok;

fn complete(_: ?*anyopaque, _: abi.Id, result: *const abi.Result) callconv(.c) abi.Code {
    completions += 1;
    last = result.code;
    return .ok;
}

test "every operation completes once and refuses what is no message" {
    const host = abi.Host{ .ctx = null, .complete = complete };
    var instance: ?*abi.Instance = null;
    var failure: abi.Error = undefined;
    try std.testing.expectEqual(abi.Code.ok, create(&host, &.{}, &instance, &failure));
    const made = instance.?;
    for (0..operations.table.len + 1) |index| {
        completions = 0;
        _ = made.invoke(made.self, &.{ .operation = @intCast(index), .call = 1, .payload = .{} });
        try std.testing.expectEqual(@as(u32, 1), completions);
        _ = made.invoke(made.self, &.{ .operation = @intCast(index), .call = 2, .payload = .of("\x0A\x7F") });
        try std.testing.expectEqual(@as(u32, 2), completions);
        try std.testing.expect(last != .ok);
    }
    made.deactivate(made.self);
    made.destroy(made.self);
}

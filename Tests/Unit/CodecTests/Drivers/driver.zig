// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// See driver.c.

const std = @import("std");
const messages = @import("messages.zig");
const wire = @import("wire.zig");

extern fn read(file: c_int, bytes: [*]u8, count: usize) isize;
extern fn write(file: c_int, bytes: [*]const u8, count: usize) isize;

fn readAll(bytes: []u8) bool {
    var done: usize = 0;
    while (done < bytes.len) {
        const count = read(0, bytes.ptr + done, bytes.len - done);
        if (count <= 0) return false;
        done += @intCast(count);
    }
    return true;
}

fn writeAll(bytes: []const u8) void {
    var done: usize = 0;
    while (done < bytes.len) done += @intCast(write(1, bytes.ptr + done, bytes.len - done));
}

fn again(comptime M: type, bytes: []const u8, arena: std.mem.Allocator) ?[]u8 {
    const message = wire.decode(M, bytes, arena) catch return null;
    return wire.encode(message, arena) catch return null;
}

pub fn main() !void {
    var head: [5]u8 = undefined;
    while (readAll(&head)) {
        var arena = std.heap.ArenaAllocator.init(std.heap.c_allocator);
        defer arena.deinit();
        const bytes = try arena.allocator().alloc(u8, std.mem.readInt(u32, head[1..5], .little));
        if (!readAll(bytes)) return;
        const result = if (head[0] == 0)
            again(messages.Everything, bytes, arena.allocator())
        else
            again(messages.Maps, bytes, arena.allocator());
        head[0] = @intFromBool(result != null);
        const out = result orelse &.{};
        std.mem.writeInt(u32, head[1..5], @intCast(out.len), .little);
        writeAll(&head);
        writeAll(out);
    }
}

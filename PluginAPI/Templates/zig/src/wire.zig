//! Protobuf's wire format. The messages of this plugin's contract are in messages.zig.
//!
//! Decoding trusts nothing: every length is checked, messages nest at most `depth_limit` deep, and one decode allocates at
//! most `budget_limit` bytes. Unknown fields are skipped. Strings and bytes are not copied: they point into the bytes that
//! were decoded; everything else is allocated, best in an arena.

const std = @import("std");
const Allocator = std.mem.Allocator;

/// Messages within messages, the outermost counted.
pub const depth_limit = 100;
/// Bytes that one decode allocates.
pub const budget_limit = 64 << 20;

pub const Error = error{ Malformed, OutOfMemory };

pub const Kind = enum {
    int32,
    int64,
    uint32,
    uint64,
    sint32,
    sint64,
    bool,
    enumeration,
    fixed32,
    sfixed32,
    float,
    fixed64,
    sfixed64,
    double,
    string,
    bytes,
    message,

    fn format(kind: Kind) u3 {
        return switch (kind) {
            .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool, .enumeration => varint_format,
            .fixed32, .sfixed32, .float => fixed32_format,
            .fixed64, .sfixed64, .double => fixed64_format,
            .string, .bytes, .message => length_format,
        };
    }
};

pub const Label = enum {
    /// Absent when it is zero or empty.
    single,
    /// Absent when it is null.
    optional,
    /// A member of the union `oneof`.
    oneof,
    repeated,
    /// A list of entries, sorted by key, one entry a key.
    map,
    /// Key and value of an entry.
    always,
};

/// A field of a message: each message has `fields`, in order of number.
pub const Field = struct { name: []const u8, number: u29, kind: Kind, label: Label = .single, oneof: []const u8 = "" };

const varint_format = 0;
const fixed64_format = 1;
const length_format = 2;
const group_format = 3;
const group_end_format = 4;
const fixed32_format = 5;

/// A message out of bytes.
pub fn decode(comptime M: type, bytes: []const u8, allocator: Allocator) Error!M {
    var message = M{};
    var budget: usize = budget_limit;
    const reader = Reader{ .bytes = bytes, .depth = depth_limit, .budget = &budget, .allocator = allocator };
    try reader.nested(M, bytes, &message, 1);
    return message;
}

const Tag = struct { number: u29, format: u3 };

const Reader = struct {
    bytes: []const u8,
    depth: u32,
    budget: *usize,
    allocator: Allocator,

    fn varint(self: *Reader) Error!u64 {
        var value: u64 = 0;
        for (0..10) |index| {
            if (index == self.bytes.len) return error.Malformed;
            const byte = self.bytes[index];
            value |= @shlWithOverflow(@as(u64, byte & 0x7F), @as(u6, @intCast(7 * index)))[0];
            if (byte < 0x80) {
                self.bytes = self.bytes[index + 1 ..];
                return value;
            }
        }
        return error.Malformed;
    }

    fn take(self: *Reader, count: u64) Error![]const u8 {
        if (count > self.bytes.len) return error.Malformed;
        const taken = self.bytes[0..@intCast(count)];
        self.bytes = self.bytes[@intCast(count)..];
        return taken;
    }

    fn delimited(self: *Reader) Error![]const u8 {
        return self.take(try self.varint());
    }

    fn fixed(self: *Reader, comptime T: type) Error!T {
        const bytes = try self.take(@sizeOf(T));
        return std.mem.readInt(T, bytes[0..@sizeOf(T)], .little);
    }

    fn tag(self: *Reader) Error!Tag {
        const value = try self.varint();
        if (value >= std.math.maxInt(u32) or value >> 3 == 0 or value & 7 > fixed32_format) return error.Malformed;
        return .{ .number = @intCast(value >> 3), .format = @intCast(value & 7) };
    }

    fn skip(self: *Reader, field: Tag) Error!void {
        switch (field.format) {
            varint_format => _ = try self.varint(),
            fixed64_format => _ = try self.take(8),
            length_format => _ = try self.delimited(),
            fixed32_format => _ = try self.take(4),
            group_format => {
                if (self.depth == 0) return error.Malformed;
                self.depth -= 1;
                while (true) {
                    const inner = try self.tag();
                    if (inner.format == group_end_format) {
                        self.depth += 1;
                        return if (inner.number == field.number) {} else error.Malformed;
                    }
                    try self.skip(inner);
                }
            },
            else => return error.Malformed,
        }
    }

    fn spend(self: *Reader, size: usize) Error!void {
        if (size > self.budget.*) return error.Malformed;
        self.budget.* -= size;
    }

    /// Every field of some bytes, as fields of one message so many levels deeper.
    fn nested(self: Reader, comptime M: type, bytes: []const u8, message: *M, levels: u32) Error!void {
        if (self.depth < levels) return error.Malformed;
        var inner = Reader{ .bytes = bytes, .depth = self.depth - levels, .budget = self.budget, .allocator = self.allocator };
        while (inner.bytes.len > 0) {
            const found = try inner.tag();
            if (!try inner.known(M, message, found)) try inner.skip(found);
        }
        inline for (M.fields) |field| {
            if (field.label == .map) try sort(&@field(message, field.name));
        }
    }

    /// Takes one field; false where it is none of the message's.
    fn known(self: *Reader, comptime M: type, message: *M, found: Tag) Error!bool {
        inline for (M.fields) |field| {
            if (field.number == found.number) {
                const own = comptime field.kind.format();
                if (found.format == own) {
                    try self.one(M, field, message);
                    return true;
                }
                if (field.label == .repeated and own != length_format and found.format == length_format) {
                    var bytes = Reader{ .bytes = try self.delimited(), .depth = self.depth, .budget = self.budget, .allocator = self.allocator };
                    while (bytes.bytes.len > 0) try bytes.one(M, field, message);
                    return true;
                }
            }
        }
        return false;
    }

    fn one(self: *Reader, comptime M: type, comptime field: Field, message: *M) Error!void {
        if (field.label == .oneof) {
            const place = &@field(message, field.oneof);
            const Union = @typeInfo(@TypeOf(place.*)).optional.child;
            if (place.* == null or place.*.? != @field(std.meta.Tag(Union), field.name)) {
                var value = zero(@FieldType(Union, field.name));
                try self.scalar(field, &value);
                place.* = @unionInit(Union, field.name, value);
            } else {
                try self.scalar(field, &@field(place.*.?, field.name));
            }
            return;
        }
        const place = &@field(message, field.name);
        switch (field.label) {
            .repeated, .map => {
                const last = try self.append(place);
                if (field.kind == .message) {
                    // An entry of a map is no level of its own.
                    const bytes = try self.delimited();
                    try self.nested(@TypeOf(last.*), bytes, last, if (field.label == .map) 0 else 1);
                } else {
                    try self.scalar(field, last);
                }
            },
            .optional => if (field.kind == .message) {
                try self.scalar(field, place);
            } else {
                var value_read: @typeInfo(@TypeOf(place.*)).optional.child = undefined;
                try self.scalar(field, &value_read);
                place.* = value_read;
            },
            else => try self.scalar(field, place),
        }
    }

    fn zero(comptime T: type) T {
        return switch (@typeInfo(T)) {
            .optional => null,
            .@"enum" => @enumFromInt(0),
            .pointer => "",
            .bool => false,
            else => 0,
        };
    }

    /// A place for one more element. The capacity is the power of two that holds the count.
    fn append(self: *Reader, list: anytype) Error!*@typeInfo(@TypeOf(list.*)).pointer.child {
        const T = @typeInfo(@TypeOf(list.*)).pointer.child;
        const count = list.len;
        if (count == 0 or (count >= 4 and count & (count - 1) == 0)) {
            const capacity = @max(count * 2, 4);
            try self.spend(capacity * @sizeOf(T));
            const grown = try self.allocator.alloc(T, capacity);
            @memcpy(grown[0..count], list.*);
            list.* = grown[0..count];
        }
        list.* = list.ptr[0 .. count + 1];
        list.*[count] = if (@typeInfo(T) == .@"struct") T{} else zero(T);
        return &list.*[count];
    }

    fn scalar(self: *Reader, comptime field: Field, place: anytype) Error!void {
        switch (field.kind) {
            .int32 => place.* = @bitCast(@as(u32, @truncate(try self.varint()))),
            .int64 => place.* = @bitCast(try self.varint()),
            .uint32 => place.* = @truncate(try self.varint()),
            .uint64 => place.* = try self.varint(),
            .sint32 => {
                const raw: u32 = @truncate(try self.varint());
                place.* = @bitCast(raw >> 1 ^ (0 -% (raw & 1)));
            },
            .sint64 => {
                const raw = try self.varint();
                place.* = @bitCast(raw >> 1 ^ (0 -% (raw & 1)));
            },
            .bool => place.* = try self.varint() != 0,
            .enumeration => place.* = @enumFromInt(@as(i32, @bitCast(@as(u32, @truncate(try self.varint()))))),
            .fixed32, .sfixed32, .float => place.* = @bitCast(try self.fixed(u32)),
            .fixed64, .sfixed64, .double => place.* = @bitCast(try self.fixed(u64)),
            .string => {
                const text = try self.delimited();
                if (!std.unicode.utf8ValidateSlice(text)) return error.Malformed;
                place.* = text;
            },
            .bytes => place.* = try self.delimited(),
            .message => {
                const M = @typeInfo(@typeInfo(@TypeOf(place.*)).optional.child).pointer.child;
                const bytes = try self.delimited();
                if (place.* == null) {
                    try self.spend(@sizeOf(M));
                    const made = try self.allocator.create(M);
                    made.* = M{};
                    place.* = made;
                }
                try self.nested(M, bytes, place.*.?, 1);
            },
        }
    }
};

/// Sorts entries by key, keeping the last of those with the same one.
fn sort(entries: anytype) Error!void {
    const Entry = @typeInfo(@TypeOf(entries.*)).pointer.child;
    if (entries.len < 2) return;
    const order = struct {
        fn lessThan(_: void, a: Entry, b: Entry) bool {
            return switch (@typeInfo(@TypeOf(a.key))) {
                .pointer => std.mem.lessThan(u8, a.key, b.key),
                .bool => !a.key and b.key,
                else => a.key < b.key,
            };
        }
    };
    std.mem.sort(Entry, entries.*, {}, order.lessThan);
    var kept: usize = 0;
    for (entries.*, 0..) |entry, index| {
        if (index + 1 < entries.len and !order.lessThan({}, entry, entries.*[index + 1])) continue;
        entries.*[kept] = entry;
        kept += 1;
    }
    // What is appended later finds the capacity that the count promises: it was made for more.
    entries.* = entries.*[0..kept];
}

/// The bytes of a message, which `allocator` owns.
pub fn encode(message: anytype, allocator: Allocator) Error![]u8 {
    var writer = Writer{ .allocator = allocator };
    errdefer allocator.free(writer.memory);
    try writer.message(@TypeOf(message), &message);
    return writer.memory[0..writer.size];
}

const Writer = struct {
    memory: []u8 = &.{},
    size: usize = 0,
    allocator: Allocator,

    fn grow(self: *Writer, count: usize) Error![]u8 {
        if (self.memory.len - self.size < count) {
            self.memory = try self.allocator.realloc(self.memory, @max(self.memory.len * 2, self.size + count + 64));
        }
        self.size += count;
        return self.memory[self.size - count .. self.size];
    }

    fn put(self: *Writer, bytes: []const u8) Error!void {
        @memcpy(try self.grow(bytes.len), bytes);
    }

    fn varint(self: *Writer, number: u64) Error!void {
        var rest = number;
        while (rest > 0x7F) : (rest >>= 7) (try self.grow(1))[0] = @truncate(rest | 0x80);
        (try self.grow(1))[0] = @truncate(rest);
    }

    fn tag(self: *Writer, number: u29, format: u3) Error!void {
        try self.varint(@as(u64, number) << 3 | format);
    }

    /// Puts the length of what was written since `start` before it.
    fn length(self: *Writer, start: usize) Error!void {
        const end = self.size;
        try self.varint(end - start);
        std.mem.rotate(u8, self.memory[start..self.size], end - start);
    }

    fn nested(self: *Writer, comptime M: type, inner: *const M) Error!void {
        const start = self.size;
        try self.message(M, inner);
        try self.length(start);
    }

    fn message(self: *Writer, comptime M: type, source: *const M) Error!void {
        inline for (M.fields) |field| {
            if (field.label == .oneof) {
                if (@field(source, field.oneof)) |choice| {
                    const member = @field(std.meta.Tag(@TypeOf(choice)), field.name);
                    if (choice == member) try self.tagged(field, @field(choice, field.name));
                }
            } else {
                const held = @field(source, field.name);
                switch (field.label) {
                    .repeated, .map => try self.list(field, held),
                    .optional => if (held) |inner| try self.tagged(field, inner),
                    .always => try self.tagged(field, held),
                    else => if (!isZero(held)) try self.tagged(field, held),
                }
            }
        }
    }

    fn list(self: *Writer, comptime field: Field, elements: anytype) Error!void {
        if (elements.len == 0) return;
        if (comptime field.kind.format() == length_format) {
            for (elements) |*element| {
                try self.tag(field.number, length_format);
                if (field.kind == .message) {
                    try self.nested(@TypeOf(element.*), element);
                } else {
                    try self.value(field, element.*);
                }
            }
            return;
        }
        try self.tag(field.number, length_format);
        const start = self.size;
        for (elements) |element| try self.value(field, element);
        try self.length(start);
    }

    fn tagged(self: *Writer, comptime field: Field, held: anytype) Error!void {
        try self.tag(field.number, comptime field.kind.format());
        try self.value(field, held);
    }

    fn value(self: *Writer, comptime field: Field, held: anytype) Error!void {
        switch (field.kind) {
            .int32, .int64 => try self.varint(@bitCast(@as(i64, held))),
            .uint32, .uint64 => try self.varint(held),
            .sint32 => {
                const raw: u32 = @bitCast(held);
                try self.varint(raw << 1 ^ (0 -% (raw >> 31)));
            },
            .sint64 => {
                const raw: u64 = @bitCast(held);
                try self.varint(raw << 1 ^ (0 -% (raw >> 63)));
            },
            .bool => try self.varint(@intFromBool(held)),
            .enumeration => try self.varint(@bitCast(@as(i64, @intFromEnum(held)))),
            .fixed32, .sfixed32, .float => std.mem.writeInt(u32, (try self.grow(4))[0..4], @bitCast(held), .little),
            .fixed64, .sfixed64, .double => std.mem.writeInt(u64, (try self.grow(8))[0..8], @bitCast(held), .little),
            .string, .bytes => {
                try self.varint(held.len);
                try self.put(held);
            },
            .message => switch (@typeInfo(@TypeOf(held))) {
                // The value of an entry, or a member of a oneof, that is null is an empty message.
                .optional => |optional| if (held) |inner| {
                    try self.nested(@typeInfo(optional.child).pointer.child, inner);
                } else {
                    try self.varint(0);
                },
                else => try self.nested(@typeInfo(@TypeOf(held)).pointer.child, held),
            },
        }
    }

    fn isZero(held: anytype) bool {
        return switch (@typeInfo(@TypeOf(held))) {
            .pointer => held.len == 0,
            .bool => !held,
            .@"enum" => @intFromEnum(held) == 0,
            // By its bits: minus zero is a number that is there.
            .float => |float| @as(std.meta.Int(.unsigned, float.bits), @bitCast(held)) == 0,
            else => held == 0,
        };
    }
};

//! The plugin interface, version 1, revision 0: `include/theatre_plugin.h`, where the rules stand.

pub const Id = u64;

pub const Code = enum(i32) {
    ok = 0,
    cancelled = 1,
    unknown = 2,
    invalid_argument = 3,
    deadline_exceeded = 4,
    not_found = 5,
    already_exists = 6,
    permission_denied = 7,
    resource_exhausted = 8,
    failed_precondition = 9,
    aborted = 10,
    out_of_range = 11,
    unimplemented = 12,
    internal = 13,
    unavailable = 14,
    data_loss = 15,
    unauthenticated = 16,
    _,
};

/// Borrowed bytes.
pub const Bytes = extern struct {
    data: ?[*]const u8 = null,
    size: u64 = 0,

    pub fn of(bytes: []const u8) Bytes {
        return .{ .data = bytes.ptr, .size = bytes.len };
    }

    /// What it refers to; of an argument, until the function returns.
    pub fn slice(self: Bytes) []const u8 {
        const data = self.data orelse return "";
        return data[0..self.size];
    }
};

pub const Error = extern struct {
    struct_size: u32 = @sizeOf(Error),
    code: Code,
    effect: u32 = 0,
    retry: u32 = 0,
    retry_after_ms: u64 = 0,
    reason: Bytes,
    message: Bytes,
    detail: Bytes = .{},
};

pub const Request = extern struct {
    struct_size: u32 = @sizeOf(Request),
    operation: u32,
    call: Id,
    on_behalf_of: Id = 0,
    payload: Bytes,
    deadline_ns: u64 = 0,
    attempt: u32 = 1,
    flags: u32 = 0,
    idempotency_key: Bytes = .{},
    context: Bytes = .{},
    attributes: Bytes = .{},
};

pub const Result = extern struct {
    struct_size: u32 = @sizeOf(Result),
    code: Code = .ok,
    payload: Bytes = .{},
    failure: ?*const Error = null,
};

pub const Chunk = extern struct {
    struct_size: u32,
    flags: u32,
    seq: u64,
    data: Bytes,
};

pub const Create = extern struct {
    struct_size: u32 = @sizeOf(Create),
    generation: u32 = 1,
    instance: Bytes = .{},
    configuration: Bytes = .{},
    environment: Bytes = .{},
    manifest: Bytes = .{},
};

pub const Instance = extern struct {
    struct_size: u32 = @sizeOf(Instance),
    reserved: u32 = 0,
    self: *anyopaque,
    activate: *const fn (*anyopaque, *Error) callconv(.c) Code,
    self_test: ?*const fn (*anyopaque, *Error) callconv(.c) Code = null,
    invoke: *const fn (*anyopaque, *const Request) callconv(.c) Code,
    reply: *const fn (*anyopaque, Id, *const Result) callconv(.c) Code,
    send: ?*const fn (*anyopaque, Id, *const Chunk) callconv(.c) Code = null,
    credit: ?*const fn (*anyopaque, Id, u64) callconv(.c) void = null,
    cancel: ?*const fn (*anyopaque, Id, u32) callconv(.c) void = null,
    deactivate: *const fn (*anyopaque) callconv(.c) void,
    destroy: *const fn (*anyopaque) callconv(.c) void,
};

pub const Host = extern struct {
    struct_size: u32 = @sizeOf(Host),
    revision: u32 = 0,
    ctx: ?*anyopaque,
    complete: *const fn (?*anyopaque, Id, *const Result) callconv(.c) Code,
    request: ?*const fn (?*anyopaque, *const Request, *Id, ?*Error) callconv(.c) Code = null,
    send: ?*const fn (?*anyopaque, Id, *const Chunk) callconv(.c) Code = null,
    credit: ?*const fn (?*anyopaque, Id, u64) callconv(.c) void = null,
    cancel: ?*const fn (?*anyopaque, Id, u32) callconv(.c) void = null,
    is_live: ?*const fn (?*anyopaque, Id) callconv(.c) i32 = null,
    now: ?*const fn (?*anyopaque, u32) callconv(.c) u64 = null,
    log: ?*const fn (?*anyopaque, u32, Bytes, Bytes) callconv(.c) void = null,
};

pub const Plugin = extern struct {
    struct_size: u32 = @sizeOf(Plugin),
    abi_major: u16 = 1,
    abi_revision: u16 = 0,
    min_host_revision: u16 = 0,
    reserved: u16 = 0,
    flags: u32 = 0,
    name: Bytes,
    version: Bytes,
    build_id: Bytes = .{},
    manifest: Bytes,
    contracts: Bytes,
    create: *const fn (*const Host, *const Create, *?*Instance, *Error) callconv(.c) Code,
};

comptime {
    // The layout is the header's.
    const sizes = .{ .{ Error, 72 }, .{ Request, 104 }, .{ Result, 32 }, .{ Chunk, 32 }, .{ Create, 72 }, .{ Instance, 88 }, .{ Host, 80 }, .{ Plugin, 104 } };
    for (sizes) |size| if (@sizeOf(size[0]) != size[1]) @compileError("the layout is not the header's");
}

//! What {{name}} does.

const messages = @import("messages.zig");
const plugin = @import("plugin.zig");
const Call = plugin.Call;

/// What the operations of one instance share. They run on any thread and at the same time: a lock guards what changes.
pub const State = struct {};

/// In the order of the manifest.
pub const table = [_]plugin.Operation{
{{table}}};

{{handlers}}

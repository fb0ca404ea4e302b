//! `zig build` makes zig-out/lib/lib{{name}}.so, `zig build test` tries its operations.

const std = @import("std");

pub fn build(b: *std.Build) void {
    // By the compiler's own command: the build system has no option for `-z nodelete`, and a plugin is never unmapped.
    const compile = b.addSystemCommand(&.{
        b.graph.zig_exe, "build-lib", "-dynamic", "-fPIC", "-OReleaseSafe", "-fllvm", "-flld", "-lc", "-fno-soname",
        "-z", "nodelete", "-z", "relro", "-z", "now", "-z", "defs", "--build-id=sha1", "--name", "{{name}}",
    });
    compile.addArg("--version-script");
    compile.addFileArg(b.path("plugin.map"));
    compile.addArgs(&.{ "--dep", "manifest", "--dep", "contracts" });
    compile.addPrefixedFileArg("-Mroot=", b.path("src/plugin.zig"));
    compile.addPrefixedFileArg("-Mmanifest=", b.path("plugin.json"));
    compile.addPrefixedFileArg("-Mcontracts=", b.path("contracts.binpb"));
    for ([_][]const u8{ "abi", "wire", "messages", "operations" }) |name| {
        compile.addFileInput(b.path(b.fmt("src/{s}.zig", .{name})));
    }
    const library = compile.addPrefixedOutputFileArg("-femit-bin=", "lib{{name}}.so");
    b.getInstallStep().dependOn(&b.addInstallLibFile(library, "lib{{name}}.so").step);

    const module = b.createModule(.{
        .root_source_file = b.path("src/plugin.zig"),
        .target = b.graph.host,
        .link_libc = true,
    });
    module.addAnonymousImport("manifest", .{ .root_source_file = b.path("plugin.json") });
    module.addAnonymousImport("contracts", .{ .root_source_file = b.path("contracts.binpb") });
    const tests = b.addRunArtifact(b.addTest(.{ .root_module = module }));
    b.step("test", "Try every operation").dependOn(&tests.step);
}

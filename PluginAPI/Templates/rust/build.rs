//! How the library is linked: never unmapped, no executable stack, read-only after relocation.

fn main() {
    for option in ["nodelete", "noexecstack", "relro", "now", "defs"] {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,{option}");
    }
    println!("cargo:rustc-cdylib-link-arg=-Wl,--build-id=sha1");
    println!("cargo:rerun-if-changed=build.rs");
}

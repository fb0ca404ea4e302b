//! {{summary}}
#![allow(non_snake_case)]

mod abi;
#[allow(dead_code)]
mod messages;
mod operations;
mod plugin;
#[allow(dead_code)]
mod wire;

const MANIFEST_SIZE: usize = include_bytes!("../plugin.json").len();
const CONTRACTS_SIZE: usize = include_bytes!("../contracts.binpb").len();

// The host reads both from the file before anything of the library runs.
#[used]
#[link_section = ".theatre.manifest"]
static MANIFEST: [u8; MANIFEST_SIZE] = *include_bytes!("../plugin.json");
#[used]
#[link_section = ".theatre.contracts"]
static CONTRACTS: [u8; CONTRACTS_SIZE] = *include_bytes!("../contracts.binpb");

static PLUGIN: abi::Plugin = abi::Plugin {
    struct_size: std::mem::size_of::<abi::Plugin>() as u32,
    abi_major: 1,
    abi_revision: 0,
    min_host_revision: 0,
    reserved: 0,
    flags: 0,
    name: abi::Bytes::of(b"{{name}}"),
    version: abi::Bytes::of(env!("CARGO_PKG_VERSION").as_bytes()),
    build_id: abi::Bytes::of(b""),
    manifest: abi::Bytes::of(&MANIFEST),
    contracts: abi::Bytes::of(&CONTRACTS),
    create: plugin::create,
};

/// The entry: pure, callable any number of times.
#[no_mangle]
pub extern "C" fn theatre_plugin_v1_{{name}}() -> *const abi::Plugin {
    &PLUGIN
}

//! The plugin interface, version 1, revision 0: `include/theatre_plugin.h`, where the rules stand.

use std::os::raw::c_void;

pub type Code = i32;
pub type Id = u64;

#[allow(dead_code)]
pub mod code {
    use super::Code;
    pub const OK: Code = 0;
    pub const CANCELLED: Code = 1;
    pub const UNKNOWN: Code = 2;
    pub const INVALID_ARGUMENT: Code = 3;
    pub const DEADLINE_EXCEEDED: Code = 4;
    pub const NOT_FOUND: Code = 5;
    pub const ALREADY_EXISTS: Code = 6;
    pub const PERMISSION_DENIED: Code = 7;
    pub const RESOURCE_EXHAUSTED: Code = 8;
    pub const FAILED_PRECONDITION: Code = 9;
    pub const ABORTED: Code = 10;
    pub const OUT_OF_RANGE: Code = 11;
    pub const UNIMPLEMENTED: Code = 12;
    pub const INTERNAL: Code = 13;
    pub const UNAVAILABLE: Code = 14;
    pub const DATA_LOSS: Code = 15;
    pub const UNAUTHENTICATED: Code = 16;
}

/// Borrowed bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    pub data: *const u8,
    pub size: u64,
}

impl Bytes {
    pub const fn of(bytes: &[u8]) -> Bytes {
        Bytes { data: bytes.as_ptr(), size: bytes.len() as u64 }
    }

    /// What it refers to.
    ///
    /// # Safety
    /// The bytes live for `'a`: those of an argument until the function returns.
    pub unsafe fn slice<'a>(self) -> &'a [u8] {
        if self.size == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(self.data, self.size as usize)
        }
    }
}

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub code: Code,
    pub effect: u32,
    pub retry: u32,
    pub retry_after_ms: u64,
    pub reason: Bytes,
    pub message: Bytes,
    pub detail: Bytes,
}

#[repr(C)]
pub struct Request {
    pub struct_size: u32,
    pub operation: u32,
    pub call: Id,
    pub on_behalf_of: Id,
    pub payload: Bytes,
    pub deadline_ns: u64,
    pub attempt: u32,
    pub flags: u32,
    pub idempotency_key: Bytes,
    pub context: Bytes,
    pub attributes: Bytes,
}

#[repr(C)]
pub struct Result {
    pub struct_size: u32,
    pub code: Code,
    pub payload: Bytes,
    pub error: *const Error,
}

#[repr(C)]
pub struct Chunk {
    pub struct_size: u32,
    pub flags: u32,
    pub seq: u64,
    pub data: Bytes,
}

#[repr(C)]
pub struct Create {
    pub struct_size: u32,
    pub generation: u32,
    pub instance: Bytes,
    pub configuration: Bytes,
    pub environment: Bytes,
    pub manifest: Bytes,
}

#[repr(C)]
pub struct Instance {
    pub struct_size: u32,
    pub reserved: u32,
    pub this: *mut c_void,
    pub activate: unsafe extern "C" fn(*mut c_void, *mut Error) -> Code,
    pub self_test: Option<unsafe extern "C" fn(*mut c_void, *mut Error) -> Code>,
    pub invoke: unsafe extern "C" fn(*mut c_void, *const Request) -> Code,
    pub reply: unsafe extern "C" fn(*mut c_void, Id, *const Result) -> Code,
    pub send: Option<unsafe extern "C" fn(*mut c_void, Id, *const Chunk) -> Code>,
    pub credit: Option<unsafe extern "C" fn(*mut c_void, Id, u64)>,
    pub cancel: Option<unsafe extern "C" fn(*mut c_void, Id, u32)>,
    pub deactivate: unsafe extern "C" fn(*mut c_void),
    pub destroy: unsafe extern "C" fn(*mut c_void),
}

#[repr(C)]
pub struct Host {
    pub struct_size: u32,
    pub revision: u32,
    pub ctx: *mut c_void,
    pub complete: unsafe extern "C" fn(*mut c_void, Id, *const Result) -> Code,
    pub request: unsafe extern "C" fn(*mut c_void, *const Request, *mut Id, *mut Error) -> Code,
    pub send: unsafe extern "C" fn(*mut c_void, Id, *const Chunk) -> Code,
    pub credit: unsafe extern "C" fn(*mut c_void, Id, u64),
    pub cancel: unsafe extern "C" fn(*mut c_void, Id, u32),
    pub is_live: unsafe extern "C" fn(*mut c_void, Id) -> i32,
    pub now: unsafe extern "C" fn(*mut c_void, u32) -> u64,
    pub log: unsafe extern "C" fn(*mut c_void, u32, Bytes, Bytes),
}

#[repr(C)]
pub struct Plugin {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_revision: u16,
    pub min_host_revision: u16,
    pub reserved: u16,
    pub flags: u32,
    pub name: Bytes,
    pub version: Bytes,
    pub build_id: Bytes,
    pub manifest: Bytes,
    pub contracts: Bytes,
    pub create: unsafe extern "C" fn(*const Host, *const Create, *mut *mut Instance, *mut Error) -> Code,
}

// Constant: its pointers are to statics of this library.
unsafe impl Sync for Plugin {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::size_of;

    #[test]
    fn the_layout_is_the_headers() {
        let sizes = [size_of::<Error>(), size_of::<Request>(), size_of::<Result>(), size_of::<Chunk>(), size_of::<Create>()];
        assert_eq!(sizes, [72, 104, 32, 32, 72]);
        assert_eq!([size_of::<Instance>(), size_of::<Host>(), size_of::<Plugin>()], [88, 80, 104]);
    }
}

//! Between the interface and the operations: decodes requests, completes calls, tells errors, writes log lines, and lets no
//! panic out.

use crate::abi;
use crate::operations::{self, State};
use crate::wire;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

/// Why a call failed.
#[derive(Clone, Debug)]
pub struct Error {
    pub code: abi::Code,
    /// What the call did: 0 nothing, 1 perhaps something, 2 it happened and only the answer failed.
    pub effect: u32,
    /// Stable, lower-case, dotted.
    pub reason: &'static str,
    /// One sentence, without secrets.
    pub message: String,
}

impl Error {
    /// An error of a call that has done nothing.
    pub fn new(code: abi::Code, reason: &'static str, message: impl Into<String>) -> Error {
        Error { code, effect: 0, reason, message: message.into() }
    }

    fn to_abi(&self) -> abi::Error {
        abi::Error {
            struct_size: std::mem::size_of::<abi::Error>() as u32,
            code: self.code,
            effect: self.effect,
            retry: 0,
            retry_after_ms: 0,
            reason: abi::Bytes::of(self.reason.as_bytes()),
            message: abi::Bytes::of(self.message.as_bytes()),
            detail: abi::Bytes::of(b""),
        }
    }
}

/// The host, as one instance sees it.
pub struct Host(*const abi::Host);

// Every host function may be called from any thread, until `destroy` returns.
unsafe impl Send for Host {}
unsafe impl Sync for Host {}

#[allow(dead_code)]
impl Host {
    fn table(&self) -> &abi::Host {
        unsafe { &*self.0 }
    }

    fn complete(&self, call: abi::Id, outcome: Result<Vec<u8>, Error>) {
        let mut result = abi::Result {
            struct_size: std::mem::size_of::<abi::Result>() as u32,
            code: abi::code::OK,
            payload: abi::Bytes::of(b""),
            error: std::ptr::null(),
        };
        let error;
        match &outcome {
            Ok(payload) => result.payload = abi::Bytes::of(payload),
            Err(failure) => {
                error = failure.to_abi();
                result.code = failure.code;
                result.error = &error;
            }
        }
        unsafe { (self.table().complete)(self.table().ctx, call, &result) };
    }

    /// Milliseconds since 1970, by the host's clock: the only one a plugin reads.
    pub fn now_ms(&self) -> i64 {
        unsafe { ((self.table().now)(self.table().ctx, 1) / 1_000_000) as i64 }
    }

    /// One log line at level debug. `message` is constant text, `fields` a JSON object or empty.
    pub fn debug(&self, message: &'static str, fields: &str) {
        let (message, fields) = (abi::Bytes::of(message.as_bytes()), abi::Bytes::of(fields.as_bytes()));
        unsafe { (self.table().log)(self.table().ctx, 1, message, fields) };
    }
}

/// A call that is being served.
#[allow(dead_code)]
pub struct Call<'a> {
    pub host: &'a Host,
    pub id: abi::Id,
    /// Index in the manifest's operations.
    pub operation: u32,
    /// Stable over attempts; empty when there is none.
    pub idempotency_key: &'a [u8],
    payload: &'a [u8],
    context: &'a [u8],
}

#[allow(dead_code)]
impl Call<'_> {
    /// Decodes the request, runs the operation, encodes its answer.
    pub fn serve<Q: wire::Message, A: wire::Message>(
        &self, operation: impl FnOnce(Q) -> Result<A, Error>,
    ) -> Result<Vec<u8>, Error> {
        let request = wire::decode(self.payload).map_err(|_| {
            let message = "The bytes are not the operation's request.";
            Error::new(abi::code::INVALID_ARGUMENT, "{{snake}}.malformed_request", message)
        })?;
        operation(request).map(|answer| wire::encode(&answer))
    }

    /// Who asks, for which tenant: `theatre.host.v1.Context`.
    pub fn context(&self) -> crate::messages::HostContext {
        wire::decode(self.context).unwrap_or_default()
    }

    /// The error of an operation that nobody wrote yet.
    pub fn not_written(&self) -> Error {
        let message = "This operation is not written yet; nothing was done.";
        Error::new(abi::code::UNIMPLEMENTED, "{{snake}}.not_written", message)
    }
}

/// One instance: the table that the host holds, and what the operations work on.
struct Live {
    table: abi::Instance,
    host: Host,
    state: State,
}

static QUIET: Once = Once::new();

pub unsafe extern "C" fn create(
    host: *const abi::Host, _create: *const abi::Create, instance: *mut *mut abi::Instance, _error: *mut abi::Error,
) -> abi::Code {
    // A plugin writes nothing to standard error: a panic is told as the error of its call.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let live = Box::into_raw(Box::new(Live {
        table: abi::Instance {
            struct_size: std::mem::size_of::<abi::Instance>() as u32,
            reserved: 0,
            this: std::ptr::null_mut(),
            activate,
            self_test: None,
            invoke,
            reply,
            send: Some(send),
            credit: Some(credit),
            cancel: None,
            deactivate,
            destroy,
        },
        host: Host(host),
        state: State::default(),
    }));
    (*live).table.this = live as *mut c_void;
    *instance = std::ptr::addr_of_mut!((*live).table);
    abi::code::OK
}

unsafe extern "C" fn activate(_this: *mut c_void, _error: *mut abi::Error) -> abi::Code {
    abi::code::OK
}

unsafe extern "C" fn invoke(this: *mut c_void, request: *const abi::Request) -> abi::Code {
    let (live, request) = (&*(this as *const Live), &*request);
    let call = Call {
        host: &live.host,
        id: request.call,
        operation: request.operation,
        idempotency_key: request.idempotency_key.slice(),
        payload: request.payload.slice(),
        context: request.context.slice(),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| operations::invoke(&live.state, &call))).unwrap_or_else(|_| {
        let message = "The operation panicked.".to_string();
        Err(Error { code: abi::code::INTERNAL, effect: 1, reason: "{{snake}}.panicked", message })
    });
    live.host.complete(request.call, outcome);
    abi::code::OK
}

/// This plugin makes no calls of its own.
unsafe extern "C" fn reply(_this: *mut c_void, _call: abi::Id, _result: *const abi::Result) -> abi::Code {
    abi::code::OK
}

/// No operation streams yet: what comes for one that was refused is too late.
unsafe extern "C" fn send(_this: *mut c_void, _call: abi::Id, _chunk: *const abi::Chunk) -> abi::Code {
    abi::code::NOT_FOUND
}

unsafe extern "C" fn credit(_this: *mut c_void, _call: abi::Id, _bytes: u64) {}

unsafe extern "C" fn deactivate(_this: *mut c_void) {}

unsafe extern "C" fn destroy(this: *mut c_void) {
    let live = this as *mut Live;
    // What a destructor of the state's panics with ends here.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(Box::from_raw(live))));
}

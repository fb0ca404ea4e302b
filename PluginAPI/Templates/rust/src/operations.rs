//! What {{name}} does.

use crate::abi::code;
use crate::messages::*;
use crate::plugin::{Call, Error};

/// What the operations of one instance share. They run on any thread and at the same time: a lock guards what changes.
#[derive(Default)]
pub struct State {}

/// Runs one operation. It does not block. The numbers are places in the manifest's list.
pub fn invoke(state: &State, call: &Call) -> Result<Vec<u8>, Error> {
    match call.operation {
{{table}}        _ => Err(Error::new(code::UNIMPLEMENTED, "{{snake}}.unknown_operation", "The manifest has no such operation.")),
    }
}

#[allow(unused_variables)]
impl State {
{{handlers}}}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_survives_a_round_trip() {
{{round_trips}}    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        assert!(crate::wire::decode::<HostContext>(b"\x0A\x7F").is_err());
    }
}

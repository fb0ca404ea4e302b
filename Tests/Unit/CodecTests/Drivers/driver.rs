// TheatreOS
// SPDX-License-Identifier: Apache-2.0
// See driver.c.

#[allow(dead_code)]
mod messages;
#[allow(dead_code)]
mod wire;

use std::io::{Read, Write};

fn again<M: wire::Message>(bytes: &[u8]) -> Option<Vec<u8>> {
    wire::decode::<M>(bytes).ok().map(|message| wire::encode(&message))
}

fn main() {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).unwrap();
    let mut rest = &input[..];
    let mut out = Vec::new();
    while rest.len() >= 5 {
        let size = u32::from_le_bytes(rest[1..5].try_into().unwrap()) as usize;
        let (which, bytes) = (rest[0], &rest[5..5 + size]);
        rest = &rest[5 + size..];
        let result = if which == 0 { again::<messages::Everything>(bytes) } else { again::<messages::Maps>(bytes) };
        out.push(result.is_some() as u8);
        let result = result.unwrap_or_default();
        out.extend_from_slice(&(result.len() as u32).to_le_bytes());
        out.extend_from_slice(&result);
    }
    std::io::stdout().write_all(&out).unwrap();
}

//! Protobuf's wire format. The messages of this plugin's contract are in messages.rs.
//!
//! Decoding trusts nothing: every length is checked, messages nest at most [`DEPTH`] deep, and the elements of one decode
//! take at most [`BUDGET`] bytes. Unknown fields are skipped. It does not panic.

use std::collections::BTreeMap;
use std::marker::PhantomData;

/// Messages within messages, the outermost counted.
pub const DEPTH: u32 = 100;
/// Bytes that elements of lists and maps, and messages within messages, may take.
pub const BUDGET: usize = 64 << 20;

/// The bytes are no message of the type, or one that takes too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

pub type Outcome<T> = std::result::Result<T, Malformed>;

pub const VARINT: u32 = 0;
pub const FIXED64: u32 = 1;
pub const LENGTH: u32 = 2;
pub const GROUP: u32 = 3;
pub const GROUP_END: u32 = 4;
pub const FIXED32: u32 = 5;

/// A message.
pub trait Message: Default {
    /// Takes one field; false where it is none of the message's, and nothing was read.
    fn read(&mut self, number: u32, format: u32, input: &mut Reader) -> Outcome<bool>;
    /// Appends every field that is there.
    fn write(&self, out: &mut Vec<u8>);
}

/// A message out of bytes.
pub fn decode<M: Message>(bytes: &[u8]) -> Outcome<M> {
    let mut message = M::default();
    Reader { bytes, depth: DEPTH, budget: BUDGET }.nested(&mut message, bytes)?;
    Ok(message)
}

/// The bytes of a message.
pub fn encode<M: Message>(message: &M) -> Vec<u8> {
    let mut out = Vec::new();
    message.write(&mut out);
    out
}

/// Bytes that are left to read.
pub struct Reader<'a> {
    bytes: &'a [u8],
    depth: u32,
    budget: usize,
}

impl<'a> Reader<'a> {
    pub fn varint(&mut self) -> Outcome<u64> {
        let mut value = 0u64;
        for (index, &byte) in self.bytes.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7F) << (7 * index);
            if byte < 0x80 {
                self.bytes = &self.bytes[index + 1..];
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    pub fn take(&mut self, count: usize) -> Outcome<&'a [u8]> {
        if count > self.bytes.len() {
            return Err(Malformed);
        }
        let (taken, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        Ok(taken)
    }

    pub fn delimited(&mut self) -> Outcome<&'a [u8]> {
        let size = self.varint()?;
        self.take(usize::try_from(size).map_err(|_| Malformed)?)
    }

    fn fixed32(&mut self) -> Outcome<[u8; 4]> {
        self.take(4)?.try_into().map_err(|_| Malformed)
    }

    fn fixed64(&mut self) -> Outcome<[u8; 8]> {
        self.take(8)?.try_into().map_err(|_| Malformed)
    }

    fn tag(&mut self) -> Outcome<(u32, u32)> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        if tag == u32::MAX || tag >> 3 == 0 || tag & 7 > FIXED32 {
            return Err(Malformed);
        }
        Ok((tag >> 3, tag & 7))
    }

    fn spend(&mut self, size: usize) -> Outcome<()> {
        self.budget = self.budget.checked_sub(size).ok_or(Malformed)?;
        Ok(())
    }

    fn skip(&mut self, number: u32, format: u32) -> Outcome<()> {
        match format {
            VARINT => self.varint().map(drop),
            FIXED64 => self.take(8).map(drop),
            LENGTH => self.delimited().map(drop),
            FIXED32 => self.take(4).map(drop),
            GROUP => {
                self.depth = self.depth.checked_sub(1).ok_or(Malformed)?;
                loop {
                    let (inner, format) = self.tag()?;
                    if format == GROUP_END {
                        self.depth += 1;
                        return if inner == number { Ok(()) } else { Err(Malformed) };
                    }
                    self.skip(inner, format)?;
                }
            }
            _ => Err(Malformed),
        }
    }

    /// Every field of some bytes, as fields of one message a level deeper.
    fn nested<M: Message>(&mut self, message: &mut M, bytes: &[u8]) -> Outcome<()> {
        let depth = self.depth.checked_sub(1).ok_or(Malformed)?;
        let mut inner = Reader { bytes, depth, budget: self.budget };
        while !inner.bytes.is_empty() {
            let (number, format) = inner.tag()?;
            if !message.read(number, format, &mut inner)? {
                inner.skip(number, format)?;
            }
        }
        self.budget = inner.budget;
        Ok(())
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7F {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_tag(out: &mut Vec<u8>, number: u32, format: u32) {
    put_varint(out, u64::from(number) << 3 | u64::from(format));
}

/// Puts the length of what was appended since `start` before it.
fn put_length(out: &mut Vec<u8>, start: usize) {
    let end = out.len();
    put_varint(out, (end - start) as u64);
    let size = out.len() - end;
    out[start..].rotate_right(size);
}

/// What a field holds.
pub trait Kind {
    type Value: Default;
    const FORMAT: u32;
    /// Reads one value; a message takes further fields.
    fn read(value: &mut Self::Value, input: &mut Reader) -> Outcome<()>;
    fn write(value: &Self::Value, out: &mut Vec<u8>);
    /// Whether a field without presence leaves it out.
    fn is_zero(value: &Self::Value) -> bool;
}

macro_rules! varint_kind {
    ($name:ident, $type:ty, |$raw:ident| $read:expr, |$value:ident| $write:expr) => {
        pub struct $name;
        impl Kind for $name {
            type Value = $type;
            const FORMAT: u32 = VARINT;
            fn read(value: &mut $type, input: &mut Reader) -> Outcome<()> {
                let $raw = input.varint()?;
                *value = $read;
                Ok(())
            }
            fn write($value: &$type, out: &mut Vec<u8>) {
                put_varint(out, $write)
            }
            fn is_zero(value: &$type) -> bool {
                *value == <$type>::default()
            }
        }
    };
}

varint_kind!(Int32, i32, |raw| raw as i32, |value| i64::from(*value) as u64);
varint_kind!(Int64, i64, |raw| raw as i64, |value| *value as u64);
varint_kind!(Uint32, u32, |raw| raw as u32, |value| u64::from(*value));
varint_kind!(Uint64, u64, |raw| raw, |value| *value);
varint_kind!(Bool, bool, |raw| raw != 0, |value| u64::from(*value));
varint_kind!(
    Sint32,
    i32,
    |raw| (raw as u32 >> 1) as i32 ^ -(raw as i32 & 1),
    |value| u64::from((*value << 1 ^ *value >> 31) as u32)
);
varint_kind!(Sint64, i64, |raw| (raw >> 1) as i64 ^ -(raw as i64 & 1), |value| (*value << 1 ^ *value >> 63) as u64);

macro_rules! fixed_kind {
    ($name:ident, $type:ty, $format:ident, $take:ident) => {
        pub struct $name;
        impl Kind for $name {
            type Value = $type;
            const FORMAT: u32 = $format;
            fn read(value: &mut $type, input: &mut Reader) -> Outcome<()> {
                *value = <$type>::from_le_bytes(input.$take()?);
                Ok(())
            }
            fn write(value: &$type, out: &mut Vec<u8>) {
                out.extend_from_slice(&value.to_le_bytes())
            }
            // By its bits: minus zero is a number that is there.
            fn is_zero(value: &$type) -> bool {
                value.to_le_bytes().iter().all(|byte| *byte == 0)
            }
        }
    };
}

fixed_kind!(Fixed32, u32, FIXED32, fixed32);
fixed_kind!(Sfixed32, i32, FIXED32, fixed32);
fixed_kind!(Float, f32, FIXED32, fixed32);
fixed_kind!(Fixed64, u64, FIXED64, fixed64);
fixed_kind!(Sfixed64, i64, FIXED64, fixed64);
fixed_kind!(Double, f64, FIXED64, fixed64);

pub struct Text;
impl Kind for Text {
    type Value = String;
    const FORMAT: u32 = LENGTH;
    fn read(value: &mut String, input: &mut Reader) -> Outcome<()> {
        *value = std::str::from_utf8(input.delimited()?).map_err(|_| Malformed)?.to_string();
        Ok(())
    }
    fn write(value: &String, out: &mut Vec<u8>) {
        put_varint(out, value.len() as u64);
        out.extend_from_slice(value.as_bytes());
    }
    fn is_zero(value: &String) -> bool {
        value.is_empty()
    }
}

pub struct Octets;
impl Kind for Octets {
    type Value = Vec<u8>;
    const FORMAT: u32 = LENGTH;
    fn read(value: &mut Vec<u8>, input: &mut Reader) -> Outcome<()> {
        *value = input.delimited()?.to_vec();
        Ok(())
    }
    fn write(value: &Vec<u8>, out: &mut Vec<u8>) {
        put_varint(out, value.len() as u64);
        out.extend_from_slice(value);
    }
    fn is_zero(value: &Vec<u8>) -> bool {
        value.is_empty()
    }
}

/// An open enum: values that have no name come through.
pub struct Enumeration<E>(PhantomData<E>);
impl<E: Default + Copy + From<i32> + Into<i32>> Kind for Enumeration<E> {
    type Value = E;
    const FORMAT: u32 = VARINT;
    fn read(value: &mut E, input: &mut Reader) -> Outcome<()> {
        *value = E::from(input.varint()? as i32);
        Ok(())
    }
    fn write(value: &E, out: &mut Vec<u8>) {
        put_varint(out, i64::from((*value).into()) as u64)
    }
    fn is_zero(value: &E) -> bool {
        (*value).into() == 0
    }
}

/// A message in a list or a map.
pub struct Nested<M>(PhantomData<M>);
impl<M: Message> Kind for Nested<M> {
    type Value = M;
    const FORMAT: u32 = LENGTH;
    fn read(value: &mut M, input: &mut Reader) -> Outcome<()> {
        let bytes = input.delimited()?;
        input.nested(value, bytes)
    }
    fn write(value: &M, out: &mut Vec<u8>) {
        let start = out.len();
        value.write(out);
        put_length(out, start);
    }
    fn is_zero(_: &M) -> bool {
        false
    }
}

/// A message in a field: messages may hold themselves.
pub struct Boxed<M>(PhantomData<M>);
impl<M: Message> Kind for Boxed<M> {
    type Value = Box<M>;
    const FORMAT: u32 = LENGTH;
    fn read(value: &mut Box<M>, input: &mut Reader) -> Outcome<()> {
        input.spend(std::mem::size_of::<M>())?;
        Nested::<M>::read(value, input)
    }
    fn write(value: &Box<M>, out: &mut Vec<u8>) {
        Nested::<M>::write(value, out)
    }
    fn is_zero(_: &Box<M>) -> bool {
        false
    }
}

// Each of these takes a field of its kind, and says false to one of another.

pub fn single<K: Kind>(value: &mut K::Value, format: u32, input: &mut Reader) -> Outcome<bool> {
    if format != K::FORMAT {
        return Ok(false);
    }
    K::read(value, input)?;
    Ok(true)
}

pub fn optional<K: Kind>(value: &mut Option<K::Value>, format: u32, input: &mut Reader) -> Outcome<bool> {
    if format != K::FORMAT {
        return Ok(false);
    }
    K::read(value.get_or_insert_with(Default::default), input)?;
    Ok(true)
}

pub fn repeated<K: Kind>(values: &mut Vec<K::Value>, format: u32, input: &mut Reader) -> Outcome<bool> {
    let mut push = |input: &mut Reader| {
        input.spend(std::mem::size_of::<K::Value>())?;
        let mut value = K::Value::default();
        K::read(&mut value, input)?;
        values.push(value);
        Ok(())
    };
    if format == K::FORMAT {
        push(input)?;
    } else if format == LENGTH {
        let mut packed = Reader { bytes: input.delimited()?, depth: input.depth, budget: input.budget };
        while !packed.bytes.is_empty() {
            push(&mut packed)?;
        }
        input.budget = packed.budget;
    } else {
        return Ok(false);
    }
    Ok(true)
}

struct Entry<K: Kind, V: Kind>(K::Value, V::Value);

impl<K: Kind, V: Kind> Default for Entry<K, V> {
    fn default() -> Self {
        Entry(Default::default(), Default::default())
    }
}

impl<K: Kind, V: Kind> Message for Entry<K, V> {
    fn read(&mut self, number: u32, format: u32, input: &mut Reader) -> Outcome<bool> {
        match number {
            1 => single::<K>(&mut self.0, format, input),
            2 => single::<V>(&mut self.1, format, input),
            _ => Ok(false),
        }
    }
    fn write(&self, _: &mut Vec<u8>) {}
}

pub fn map<K: Kind, V: Kind>(
    values: &mut BTreeMap<K::Value, V::Value>, format: u32, input: &mut Reader,
) -> Outcome<bool>
where
    K::Value: Ord,
{
    if format != LENGTH {
        return Ok(false);
    }
    input.spend(std::mem::size_of::<(K::Value, V::Value)>())?;
    let mut entry = Entry::<K, V>::default();
    let bytes = input.delimited()?;
    // An entry is no level of its own.
    input.depth += 1;
    let done = input.nested(&mut entry, bytes);
    input.depth -= 1;
    done?;
    values.insert(entry.0, entry.1);
    Ok(true)
}

pub fn put<K: Kind>(number: u32, value: &K::Value, out: &mut Vec<u8>) {
    put_tag(out, number, K::FORMAT);
    K::write(value, out);
}

pub fn put_single<K: Kind>(number: u32, value: &K::Value, out: &mut Vec<u8>) {
    if !K::is_zero(value) {
        put::<K>(number, value, out);
    }
}

pub fn put_optional<K: Kind>(number: u32, value: &Option<K::Value>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        put::<K>(number, value, out);
    }
}

pub fn put_repeated<K: Kind>(number: u32, values: &[K::Value], out: &mut Vec<u8>) {
    if K::FORMAT == LENGTH {
        for value in values {
            put::<K>(number, value, out);
        }
    } else if !values.is_empty() {
        put_tag(out, number, LENGTH);
        let start = out.len();
        for value in values {
            K::write(value, out);
        }
        put_length(out, start);
    }
}

pub fn put_map<K: Kind, V: Kind>(number: u32, values: &BTreeMap<K::Value, V::Value>, out: &mut Vec<u8>) {
    for (key, value) in values {
        put_tag(out, number, LENGTH);
        let start = out.len();
        put::<K>(1, key, out);
        put::<V>(2, value, out);
        put_length(out, start);
    }
}

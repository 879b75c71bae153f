//! How Python prints and reads things.
//!
//! The original is a Python program: its messages quote as `repr` does, its files and requests hold
//! what `int` and `shlex` take. What more than one crate must know of that stands here, and
//! `tests/oracle.rs` compares it with Python itself. Nothing here knows what the texts are for.
#![forbid(unsafe_code)]

pub mod base64;
mod numbers;
mod repr;
pub mod shlex;
pub mod signals;
mod undecodable;
mod white_space;

pub use numbers::{exact_int, float, int, repr_float};
pub use repr::{ascii, repr, repr_bytes, repr_list};
pub use undecodable::text_or_undecodable;
pub use white_space::{is_space, split_blanks, strip, strip_end};

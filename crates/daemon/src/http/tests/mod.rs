//! The servers on real sockets, before a fake supervision.

mod fixture;
mod following;
mod limits;
mod original_clients;
mod speed;
mod transport;

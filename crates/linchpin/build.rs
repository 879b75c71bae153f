//! How the binary is linked.

fn main() {
    // A static program relocates itself at its start. Packed, the addresses of that take a tenth of the space.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    println!("cargo:rerun-if-changed=build.rs");
}

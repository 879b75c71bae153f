#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| linchpin_fuzz::env_file::file(data));

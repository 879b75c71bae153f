//! Letting go of the pages of the program itself.
//!
//! Starting reads and resolves a configuration, and each page of code that is touched brings sixteen: the kernel
//! maps those around it as well. What was needed once stays mapped for as long as the process lives, though it runs
//! a small part of it from then on. The kernel's own copy of the file is not touched, so what is needed again comes
//! back without a disk, a few microseconds for each sixteen pages.

use std::io;
use std::ops::Range;

#[cfg(target_pointer_width = "64")]
type ProgramHeader = libc::Elf64_Phdr;
#[cfg(target_pointer_width = "32")]
type ProgramHeader = libc::Elf32_Phdr;

/// Unmaps the code and the constants of this program, which come back page by page as they are used. How many bytes
/// that were; none where the program's parts cannot be told for certain.
///
/// # Errors
/// As the kernel says. Nothing is lost then but the hope for less memory.
pub fn let_go_of_program_pages() -> io::Result<usize> {
    let mut bytes = 0;
    for range in unchanging(&headers(), rustix::param::page_size()) {
        // SAFETY: these are whole pages of a part of the program that is mapped from its file without the permission
        // to write, and which the loader has not written to either: what it changes lies in parts that are writable
        // by their headers. So each page is as it is in the file, from where the kernel brings it back on the next
        // access, on whatever thread. No page is unmapped as an address, and no memory is given to anybody.
        let result = unsafe {
            libc::madvise(
                std::ptr::with_exposed_provenance_mut(range.start),
                range.len(),
                libc::MADV_DONTNEED,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        bytes += range.len();
    }
    Ok(bytes)
}

/// A part of the program that the kernel has mapped.
#[derive(Debug, Clone)]
struct Part {
    addresses: Range<usize>,
    is_writable: bool,
    is_code: bool,
}

/// The whole pages of the parts that stay as they are in the file. None if our own code is in none of them: then the
/// headers are not those of the program that runs, or something is at work that we do not know.
fn unchanging(parts: &[Part], page: usize) -> Vec<Range<usize>> {
    let here = let_go_of_program_pages as fn() -> io::Result<usize> as usize;
    unchanging_around(here, parts, page)
}

fn unchanging_around(here: usize, parts: &[Part], page: usize) -> Vec<Range<usize>> {
    let is_known = parts
        .iter()
        .any(|part| part.is_code && !part.is_writable && part.addresses.contains(&here));
    if !is_known {
        return Vec::new();
    }
    parts
        .iter()
        .filter(|part| !part.is_writable)
        // Inwards: a page at the edge may belong to the neighbour too.
        .map(|part| part.addresses.start.next_multiple_of(page)..part.addresses.end / page * page)
        .filter(|range| range.start < range.end)
        .collect()
}

/// The program's parts, as its headers tell.
fn headers() -> Vec<Part> {
    let value = |kind| {
        // SAFETY: it takes a number and answers with one, 0 for an unknown kind.
        let value = unsafe { libc::getauxval(kind) };
        usize::try_from(value).unwrap_or(0)
    };
    let (address, count, size) = (
        value(libc::AT_PHDR),
        value(libc::AT_PHNUM),
        value(libc::AT_PHENT),
    );
    if address == 0 || size != size_of::<ProgramHeader>() {
        return Vec::new();
    }
    // SAFETY: the kernel told where it has mapped the headers of the program, how many there are and how large each
    // is. They are in a part that stays mapped and is never written to.
    let headers = unsafe {
        std::slice::from_raw_parts(
            std::ptr::with_exposed_provenance::<ProgramHeader>(address),
            count,
        )
    };
    parts(headers, address)
}

/// What the headers tell that lie at `address`.
fn parts(headers: &[ProgramHeader], address: usize) -> Vec<Part> {
    let number = |value| usize::try_from(value).unwrap_or(usize::MAX);
    // Where the headers are and where they were meant to be: by so much the program was moved. A program that does
    // not say so cannot be moved.
    let moved = headers
        .iter()
        .find(|header| header.p_type == libc::PT_PHDR)
        .map_or(0, |header| address.wrapping_sub(number(header.p_vaddr)));
    headers
        .iter()
        .filter(|header| header.p_type == libc::PT_LOAD)
        .map(|header| {
            let start = number(header.p_vaddr).wrapping_add(moved);
            Part {
                addresses: start..start.saturating_add(number(header.p_memsz)),
                is_writable: header.p_flags & libc::PF_W != 0,
                is_code: header.p_flags & libc::PF_X != 0,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 0x1000;

    fn part(addresses: Range<usize>, flags: u32) -> Part {
        Part {
            addresses,
            is_writable: flags & libc::PF_W != 0,
            is_code: flags & libc::PF_X != 0,
        }
    }

    fn header(kind: u32, address: u32, size: u32, flags: u32) -> ProgramHeader {
        // SAFETY: plain numbers, for which zero is a value.
        let mut header: ProgramHeader = unsafe { std::mem::zeroed() };
        (header.p_type, header.p_flags) = (kind, flags);
        header.p_vaddr = address.into();
        header.p_memsz = size.into();
        header
    }

    #[test]
    fn what_is_writable_is_left_alone_and_so_are_pages_at_an_edge() {
        let parts = [
            part(0x10000..0x12800, libc::PF_R),
            part(0x12800..0x15e40, libc::PF_R | libc::PF_X),
            part(0x16e40..0x19000, libc::PF_R | libc::PF_W),
        ];
        assert_eq!(
            unchanging_around(0x13000, &parts, PAGE),
            [0x10000..0x12000, 0x13000..0x15000]
        );
    }

    #[test]
    fn a_part_within_a_page_has_none_of_its_own() {
        let parts = [
            part(0x10100..0x10f00, libc::PF_R),
            part(0x20000..0x22000, libc::PF_R | libc::PF_X),
            part(0x23000..0x23fff, libc::PF_R),
            part(0x24000..0x25000, libc::PF_R),
        ];
        assert_eq!(
            unchanging_around(0x20010, &parts, PAGE),
            [0x20000..0x22000, 0x24000..0x25000]
        );
    }

    #[test]
    fn nothing_is_let_go_of_when_our_own_code_is_elsewhere() {
        let code = part(0x20000..0x22000, libc::PF_R | libc::PF_X);
        let constants = part(0x30000..0x32000, libc::PF_R);
        let both = part(0x40000..0x42000, libc::PF_R | libc::PF_W | libc::PF_X);
        for elsewhere in [0x1f000, 0x22000, 0x30000, 0x40000] {
            let parts = [code.clone(), constants.clone(), both.clone()];
            assert!(unchanging_around(elsewhere, &parts, PAGE).is_empty());
        }
    }

    #[test]
    fn parts_lie_where_the_program_was_moved_to() {
        let headers = [
            header(libc::PT_PHDR, 0x40, 0x268, libc::PF_R),
            header(libc::PT_LOAD, 0, 0xd2dec, libc::PF_R),
            header(libc::PT_GNU_RELRO, 0x36_8040, 0x100, libc::PF_R),
            header(libc::PT_LOAD, 0xd_3e00, 0x200, libc::PF_R | libc::PF_X),
        ];
        let found = parts(&headers, 0x7000_0040);
        let addresses: Vec<_> = found.iter().map(|part| part.addresses.clone()).collect();
        assert_eq!(
            addresses,
            [0x7000_0000..0x700d_2dec, 0x700d_3e00..0x700d_4000]
        );
        assert!(found[1].is_code && !found[0].is_code);
    }

    /// Bytes of this program's mappings without write permission that are in memory.
    fn resident() -> usize {
        let program = std::env::current_exe().unwrap().display().to_string();
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let (mut is_ours, mut kilobytes) = (false, 0);
        for line in maps.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if words[0].contains('-') {
                is_ours = words.last() == Some(&program.as_str()) && words[1].starts_with("r-");
            } else if is_ours && words[0] == "Rss:" {
                kilobytes += words[1].parse::<usize>().unwrap();
            }
        }
        kilobytes * 1024
    }

    // The linker's changes to it must survive: they are in pages that are not writable any more.
    static RELOCATED: [&str; 3] = ["code", "constants", "data"];

    #[test]
    fn this_program_becomes_smaller_and_goes_on() {
        let before = resident();
        let bytes = let_go_of_program_pages().unwrap();
        let after = resident();
        assert!(bytes > before / 2, "{bytes} of {before}");
        // Other tests run meanwhile and bring some back.
        assert!(after < before, "{after} of {before}");
        assert_eq!(
            std::hint::black_box(&RELOCATED).concat(),
            "codeconstantsdata"
        );
    }
}

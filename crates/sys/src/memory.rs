//! Keeping the allocator small. Only glibc has these knobs; elsewhere nothing happens.

/// Lets all threads share one arena, so that each new thread does not bring its own pages. Before the first one.
///
/// The daemon's threads allocate little and rarely at the same time.
pub fn share_one_arena() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: two numbers; an unknown one is answered with 0 and no change.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    }
}

/// Gives free pages back to the kernel: after something large is gone, such as an old configuration.
pub fn give_back_free_pages() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: no allocation that is in use is touched.
        unsafe { libc::malloc_trim(0) };
    }
}

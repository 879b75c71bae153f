//! The symbolic name of an error number, as Python's `errno.errorcode` has it.
//!
//! Usable between clone and exec: a table look-up, no allocation.

/// The name of `errno`, such as `ENOENT`.
///
/// Where Linux has two names for one number, it is the one that Python prints (`EAGAIN`, `EDEADLOCK`,
/// `ENOTSUP`), since the original's messages come from there.
#[must_use]
pub fn errno_name(errno: i32) -> Option<&'static str> {
    let index = usize::try_from(errno).ok()?;
    NAMES.get(index).copied().filter(|name| !name.is_empty())
}

/// The name of `errno`, or its number where it has none: how the original prints it.
#[must_use]
pub fn errno_text(errno: i32) -> String {
    match errno_name(errno) {
        Some(name) => name.to_owned(),
        None => errno.to_string(),
    }
}

/// [`errno_text`] of an error, or its own words where it does not come from the system.
#[must_use]
pub fn error_text(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(errno) => errno_text(errno),
        None => error.to_string(),
    }
}

/// Names by number, for the numbering that x86, ARM and RISC-V share.
static NAMES: [&str; 134] = [
    "",
    "EPERM",
    "ENOENT",
    "ESRCH",
    "EINTR",
    "EIO",
    "ENXIO",
    "E2BIG",
    "ENOEXEC",
    "EBADF",
    "ECHILD",
    "EAGAIN",
    "ENOMEM",
    "EACCES",
    "EFAULT",
    "ENOTBLK",
    "EBUSY",
    "EEXIST",
    "EXDEV",
    "ENODEV",
    "ENOTDIR",
    "EISDIR",
    "EINVAL",
    "ENFILE",
    "EMFILE",
    "ENOTTY",
    "ETXTBSY",
    "EFBIG",
    "ENOSPC",
    "ESPIPE",
    "EROFS",
    "EMLINK",
    "EPIPE",
    "EDOM",
    "ERANGE",
    "EDEADLOCK",
    "ENAMETOOLONG",
    "ENOLCK",
    "ENOSYS",
    "ENOTEMPTY",
    "ELOOP",
    "",
    "ENOMSG",
    "EIDRM",
    "ECHRNG",
    "EL2NSYNC",
    "EL3HLT",
    "EL3RST",
    "ELNRNG",
    "EUNATCH",
    "ENOCSI",
    "EL2HLT",
    "EBADE",
    "EBADR",
    "EXFULL",
    "ENOANO",
    "EBADRQC",
    "EBADSLT",
    "",
    "EBFONT",
    "ENOSTR",
    "ENODATA",
    "ETIME",
    "ENOSR",
    "ENONET",
    "ENOPKG",
    "EREMOTE",
    "ENOLINK",
    "EADV",
    "ESRMNT",
    "ECOMM",
    "EPROTO",
    "EMULTIHOP",
    "EDOTDOT",
    "EBADMSG",
    "EOVERFLOW",
    "ENOTUNIQ",
    "EBADFD",
    "EREMCHG",
    "ELIBACC",
    "ELIBBAD",
    "ELIBSCN",
    "ELIBMAX",
    "ELIBEXEC",
    "EILSEQ",
    "ERESTART",
    "ESTRPIPE",
    "EUSERS",
    "ENOTSOCK",
    "EDESTADDRREQ",
    "EMSGSIZE",
    "EPROTOTYPE",
    "ENOPROTOOPT",
    "EPROTONOSUPPORT",
    "ESOCKTNOSUPPORT",
    "ENOTSUP",
    "EPFNOSUPPORT",
    "EAFNOSUPPORT",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "ENETDOWN",
    "ENETUNREACH",
    "ENETRESET",
    "ECONNABORTED",
    "ECONNRESET",
    "ENOBUFS",
    "EISCONN",
    "ENOTCONN",
    "ESHUTDOWN",
    "ETOOMANYREFS",
    "ETIMEDOUT",
    "ECONNREFUSED",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "EALREADY",
    "EINPROGRESS",
    "ESTALE",
    "EUCLEAN",
    "ENOTNAM",
    "ENAVAIL",
    "EISNAM",
    "EREMOTEIO",
    "EDQUOT",
    "ENOMEDIUM",
    "EMEDIUMTYPE",
    "ECANCELED",
    "ENOKEY",
    "EKEYEXPIRED",
    "EKEYREVOKED",
    "EKEYREJECTED",
    "EOWNERDEAD",
    "ENOTRECOVERABLE",
    "ERFKILL",
    "EHWPOISON",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_agree_with_libc() {
        let cases = [
            (libc::ENOENT, "ENOENT"),
            (libc::ENOEXEC, "ENOEXEC"),
            (libc::EAGAIN, "EAGAIN"),
            (libc::EADDRINUSE, "EADDRINUSE"),
            (libc::ENOTRECOVERABLE, "ENOTRECOVERABLE"),
            (libc::ELOOP, "ELOOP"),
            (libc::EDQUOT, "EDQUOT"),
        ];
        for (number, name) in cases {
            assert_eq!(errno_name(number), Some(name));
        }
    }

    #[test]
    fn what_has_no_name_is_a_number() {
        for number in [0, 41, 134, -2, i32::MAX] {
            assert_eq!(errno_name(number), None);
        }
        assert_eq!(errno_text(-2), "-2");
        assert_eq!(errno_text(2), "ENOENT");
    }
}

//! How evaluation ends other than by a value: errors, `return`, `break`, `continue`, other codes, and full stops.
//!
//! Keeps the text of `errorInfo` and `errorCode` exactly as Tcl builds them, and beside it the place in the modulefile
//! and the calls of procs, from which a [`Diagnostic`] is made. Source: Tcl 8.6, `return(n)`, `catch(n)`,
//! `tclvars(n)`.

use std::fmt;

use crate::diag::{Diagnostic, Kind, Place};

use super::list::ListError;
use super::value::Value;

/// What evaluating something gives.
pub type Outcome<T = Value> = Result<T, Exit>;

/// Why evaluation left the straight path.
#[derive(Debug)]
pub enum Exit {
    /// An error (code 1).
    Error(Box<Error>),
    /// `return` on its way to the end of its procs (code 2).
    Return(Box<Return>),
    /// `break` (code 3).
    Break,
    /// `continue` (code 4).
    Continue,
    /// `return -code N` with any other number.
    Other(Box<Return>),
    /// `tailcall`: the caller of the proc calls this instead. Only seen between the two.
    Tail(Vec<Value>),
    /// The end of the whole evaluation; `catch` does not see it.
    Stop(Stop),
}

/// Why the whole evaluation ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// `exit` with this status.
    Exit(i32),
    /// A limit was reached: steps, time, memory, output.
    Limit(&'static str),
    /// `interp limit`: the end of this interpreter and those below it.
    Bound {
        /// The interpreter.
        realm: usize,
        /// What was reached.
        what: &'static str,
    },
    /// `interp cancel -unwind`: the end of what this interpreter evaluates.
    Unwound {
        /// The interpreter.
        realm: usize,
    },
    /// The embedding asked for it and knows why.
    Embedding,
}

/// An error with all that Tcl tells about it.
#[derive(Debug)]
pub struct Error {
    /// The message: the result of the failing command.
    pub message: Value,
    /// The list that `errorCode` gets.
    pub code: Value,
    /// The text of `errorInfo` as far as it is known; empty before the first command was logged.
    pub(super) info: Vec<u8>,
    /// The innermost command's text is in `info` already.
    pub(super) logged: bool,
    /// The line that `-errorline` tells.
    pub(super) line: usize,
    /// Further return options, such as `return -code error -mine 1`.
    pub(super) options: Vec<(Value, Value)>,
    /// The innermost command that stands in a file.
    pub(super) place: Option<Place>,
    /// The procs that were left on the way out, innermost first, with the place of the call.
    pub(super) calls: Vec<ProcCall>,
    /// What `-errorstack` tells: the innermost command, and the words of each call.
    pub(super) stack: Vec<Value>,
}

/// One line of the call stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcCall {
    /// The proc as it was called.
    pub name: String,
    /// The call, when it stands in a file.
    pub place: Option<Place>,
}

/// A `return` that is under way.
#[derive(Debug)]
pub struct Return {
    /// The result.
    pub value: Value,
    /// What it becomes when `level` has counted down.
    pub code: i32,
    /// How many procs it still has to leave.
    pub level: usize,
    /// All other options, `-errorcode` and `-errorinfo` among them.
    pub(super) options: Vec<(Value, Value)>,
    /// `tailcall`: the command that the caller of the proc calls in its place.
    pub(super) tail: Option<Vec<Value>>,
}

impl Error {
    /// An error with `errorCode` `NONE`.
    pub fn new(message: impl Into<Value>) -> Error {
        Error {
            message: message.into(),
            code: Value::from("NONE"),
            info: Vec::new(),
            logged: false,
            line: 1,
            options: Vec::new(),
            place: None,
            calls: Vec::new(),
            stack: Vec::new(),
        }
    }

    /// Sets `errorCode`.
    #[must_use]
    pub fn with_code<T: AsRef<[u8]>>(mut self, words: &[T]) -> Error {
        self.code = Value::list(
            words
                .iter()
                .map(|word| Value::from(word.as_ref()))
                .collect(),
        );
        self
    }

    /// The text of `errorInfo`.
    pub fn info(&self) -> Vec<u8> {
        match self.info.is_empty() {
            true => self.message.bytes().to_vec(),
            false => self.info.clone(),
        }
    }

    /// Adds a line such as `    ("eval" body line 1)`; the next command is logged again after it.
    pub(super) fn add_info(&mut self, more: impl AsRef<[u8]>) {
        if self.info.is_empty() {
            self.info = self.message.bytes().to_vec();
        }
        self.info.extend_from_slice(more.as_ref());
        self.logged = false;
    }

    /// The place of the innermost command that stands in a file.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// The procs that were being called, innermost first.
    pub fn calls(&self) -> &[ProcCall] {
        &self.calls
    }

    /// The error for people: message, caret at the innermost command of the file, one note for each proc.
    pub fn to_diagnostic(&self) -> Diagnostic {
        const SHOWN_CALLS: usize = 8;
        let mut diagnostic = Diagnostic::new(Kind::Modulefile, self.message.text());
        if let Some(place) = &self.place {
            diagnostic = diagnostic.at(place.clone(), "");
        }
        for call in self.calls.iter().take(SHOWN_CALLS) {
            diagnostic = diagnostic.note(match &call.place {
                Some(place) => format!("in proc `{}`, called at {place}", call.name),
                None => format!("in proc `{}`", call.name),
            });
        }
        if self.calls.len() > SHOWN_CALLS {
            diagnostic =
                diagnostic.note(format!("and {} more calls", self.calls.len() - SHOWN_CALLS));
        }
        diagnostic
    }
}

impl Exit {
    /// An error with `errorCode` `NONE`.
    pub fn error(message: impl Into<Value>) -> Exit {
        Exit::Error(Box::new(Error::new(message)))
    }

    /// An error with an `errorCode`.
    pub fn coded<T: AsRef<[u8]>>(message: impl Into<Value>, code: &[T]) -> Exit {
        Exit::Error(Box::new(Error::new(message).with_code(code)))
    }

    /// An error whose `errorCode` says which system call failed.
    pub(super) fn posix(message: impl Into<Value>, error: &std::io::Error) -> Exit {
        let (name, text) = posix_name(error);
        Exit::coded(message, &["POSIX", name, &text])
    }

    /// The number that `catch` returns for it; `None` for a stop.
    pub(super) fn code(&self) -> Option<i32> {
        match self {
            Exit::Error(_) => Some(1),
            Exit::Return(_) => Some(2),
            Exit::Break => Some(3),
            Exit::Continue => Some(4),
            Exit::Other(other) => Some(other.code),
            Exit::Tail(_) => Some(0),
            Exit::Stop(_) => None,
        }
    }
}

/// Tcl's name and text for an error of the operating system.
pub(super) fn posix_name(error: &std::io::Error) -> (&'static str, String) {
    use nix::errno::Errno as E;
    let Some(number) = error.raw_os_error() else {
        return ("EUNKNOWN", error.to_string().to_lowercase());
    };
    let errno = E::from_raw(number);
    let (name, text) = match errno {
        E::E2BIG => ("E2BIG", "argument list too long"),
        E::EACCES => ("EACCES", "permission denied"),
        E::EAGAIN => ("EAGAIN", "resource temporarily unavailable"),
        E::EBADF => ("EBADF", "bad file number"),
        E::EBUSY => ("EBUSY", "file busy"),
        E::ECHILD => ("ECHILD", "no children"),
        E::EDQUOT => ("EDQUOT", "disk quota exceeded"),
        E::EEXIST => ("EEXIST", "file already exists"),
        E::EFBIG => ("EFBIG", "file too large"),
        E::EINTR => ("EINTR", "interrupted system call"),
        E::EINVAL => ("EINVAL", "invalid argument"),
        E::EIO => ("EIO", "I/O error"),
        E::EISDIR => ("EISDIR", "illegal operation on a directory"),
        E::ELOOP => ("ELOOP", "too many levels of symbolic links"),
        E::EMFILE => ("EMFILE", "too many open files"),
        E::EMLINK => ("EMLINK", "too many links"),
        E::ENAMETOOLONG => ("ENAMETOOLONG", "file name too long"),
        E::ENFILE => ("ENFILE", "file table overflow"),
        E::ENODEV => ("ENODEV", "no such device"),
        E::ENOENT => ("ENOENT", "no such file or directory"),
        E::ENOEXEC => ("ENOEXEC", "exec format error"),
        E::ENOMEM => ("ENOMEM", "not enough memory"),
        E::ENOSPC => ("ENOSPC", "no space left on device"),
        E::ENOTDIR => ("ENOTDIR", "not a directory"),
        E::ENOTEMPTY => ("ENOTEMPTY", "directory not empty"),
        E::ENXIO => ("ENXIO", "no such device or address"),
        E::EPERM => ("EPERM", "not owner"),
        E::EPIPE => ("EPIPE", "broken pipe"),
        E::EROFS => ("EROFS", "read-only file system"),
        E::ESPIPE => ("ESPIPE", "invalid seek"),
        E::ESRCH => ("ESRCH", "no such process"),
        E::ESTALE => ("ESTALE", "stale remote file handle"),
        E::ETXTBSY => ("ETXTBSY", "text file or pseudo-device busy"),
        E::EXDEV => ("EXDEV", "cross-domain link"),
        _ => ("EUNKNOWN", ""),
    };
    if text.is_empty() {
        return (name, errno.desc().to_lowercase());
    }
    (name, text.to_owned())
}

/// The text of an operating system error as Tcl writes it.
pub(super) fn posix_text(error: &std::io::Error) -> String {
    posix_name(error).1
}

impl From<Error> for Exit {
    fn from(error: Error) -> Exit {
        Exit::Error(Box::new(error))
    }
}

impl From<ListError> for Exit {
    fn from(error: ListError) -> Exit {
        Exit::coded(error.to_string(), error.code())
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Exit(status) => write!(f, "exit {status}"),
            Stop::Limit(what) | Stop::Bound { what, .. } => f.write_str(what),
            Stop::Unwound { .. } => f.write_str("eval unwound"),
            Stop::Embedding => f.write_str("stopped"),
        }
    }
}

//! The channels that are open, and who knows them.

use std::fs::File;
use std::io;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::modulefile::tcl::channels::{Buffering, Channel, End};
use crate::modulefile::tcl::embedding::{Embedding, Stream};
use crate::modulefile::tcl::error::{Exit, Outcome, posix_text};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::pattern::{Case, string_match};
use crate::modulefile::tcl::realm::RealmId;
use crate::modulefile::tcl::value::Value;

/// What the names of channels begin with that were closed and still write; no script knows them.
const CLOSING: &[u8] = b"\0";

/// The open channels by name; all interpreters have them in common.
pub(in crate::modulefile::tcl::builtin) struct Channels(IndexMap<Vec<u8>, Open, FxBuildHasher>);

/// An open channel and the interpreters that know it.
struct Open {
    channel: Channel,
    /// Every interpreter that is not safe: the standard channels.
    common: bool,
    /// Those that know a common channel and have closed it.
    left: Vec<RealmId>,
    holders: Vec<RealmId>,
}

impl Default for Channels {
    fn default() -> Channels {
        let mut table = IndexMap::default();
        let mut enter = |name: &str, channel| {
            let open = Open {
                channel,
                common: true,
                left: Vec::new(),
                holders: Vec::new(),
            };
            table.insert(name.as_bytes().to_vec(), open);
        };
        let mut stdin = Channel::new(End::Stdin, true, false);
        stdin.buffering = Buffering::Line;
        enter("stdin", stdin);
        for (name, stream, buffering) in [
            ("stdout", Stream::Stdout, Buffering::Line),
            ("stderr", Stream::Stderr, Buffering::None),
        ] {
            let mut channel = Channel::new(End::Output(stream), false, true);
            channel.buffering = buffering;
            enter(name, channel);
        }
        Channels(table)
    }
}

impl Channels {
    /// The names of channels that have something to write which could not be written at once.
    pub(in crate::modulefile::tcl::builtin) fn stuck(&self) -> impl Iterator<Item = &[u8]> {
        let stuck = self.0.iter().filter(|(_, open)| open.channel.stuck);
        stuck.map(|(name, _)| &name[..])
    }

    /// A channel, whoever knows it.
    pub(in crate::modulefile::tcl::builtin) fn get(&self, name: &[u8]) -> Option<&Channel> {
        Some(&self.0.get(name)?.channel)
    }

    /// A channel that an interpreter knows.
    pub(super) fn get_mut(&mut self, name: &[u8], holder: (RealmId, bool)) -> Option<&mut Channel> {
        let open = self.0.get_mut(name)?;
        open.is_known(holder).then_some(&mut open.channel)
    }

    /// Lets an interpreter, the only one or not, forget a channel; gives the channel where no other knows it.
    pub(super) fn give_up(&mut self, name: &[u8], realm: RealmId, alone: bool) -> Option<Channel> {
        let open = self.0.get_mut(name)?;
        let others = open.common && !alone || open.holders.iter().any(|holder| *holder != realm);
        if others {
            open.holders.retain(|holder| *holder != realm);
            open.left.push(realm);
            return None;
        }
        Some(self.0.shift_remove(name)?.channel)
    }
}

impl Open {
    /// Whether an interpreter, safe or not, knows the channel.
    fn is_known(&self, (realm, safe): (RealmId, bool)) -> bool {
        self.common && !safe && !self.left.contains(&realm) || self.holders.contains(&realm)
    }
}

fn unknown_channel(name: &[u8]) -> Exit {
    let message = bytes!("can not find channel named \"", name, "\"");
    Exit::coded(message, &[&b"TCL"[..], b"LOOKUP", b"CHANNEL", name])
}

/// A channel and, separately, the rest of the interpreter.
pub(in crate::modulefile::tcl::builtin) fn find<'a>(
    interp: &'a mut Interp<'_>,
    name: &Value,
) -> Outcome<&'a mut Channel> {
    let holder = interp.channel_holder();
    let channels = &mut interp.state.channels;
    channels
        .get_mut(name.bytes(), holder)
        .ok_or_else(|| unknown_channel(name.bytes()))
}

/// Does something with a channel that needs the embedding, too.
pub(super) fn with<T>(
    interp: &mut Interp<'_>,
    name: &Value,
    verb: &str,
    run: impl FnOnce(&mut Channel, &mut dyn Embedding) -> io::Result<T>,
) -> Outcome<T> {
    let holder = interp.channel_holder();
    let channel = interp
        .state
        .channels
        .get_mut(name.bytes(), holder)
        .ok_or_else(|| unknown_channel(name.bytes()))?;
    run(channel, &mut *interp.host).map_err(|error| {
        let message = bytes!("error ", verb, " \"", name, "\": ", posix_text(&error));
        Exit::posix(message, &error)
    })
}

pub(in crate::modulefile::tcl::builtin) fn readable(
    interp: &mut Interp<'_>,
    name: &Value,
) -> Outcome<()> {
    let channel = find(interp, name)?;
    if channel.readable {
        return is_free(channel.busy, "reading", name);
    }
    let message = bytes!("channel \"", name, "\" wasn't opened for reading");
    Err(Exit::error(message))
}

pub(in crate::modulefile::tcl::builtin) fn writable(
    interp: &mut Interp<'_>,
    name: &Value,
) -> Outcome<()> {
    let channel = find(interp, name)?;
    if channel.writable {
        return is_free(channel.busy, "writing", name);
    }
    let message = bytes!("channel \"", name, "\" wasn't opened for writing");
    Err(Exit::error(message))
}

/// Refuses a channel that a copy in the background uses.
fn is_free(busy: bool, verb: &str, name: &Value) -> Outcome<()> {
    if busy {
        let error = io::Error::from_raw_os_error(nix::errno::Errno::EBUSY as i32);
        let message = bytes!("error ", verb, " \"", name, "\": ", posix_text(&error));
        return Err(Exit::posix(message, &error));
    }
    Ok(())
}

impl Interp<'_> {
    /// Enters a new channel and gives its name.
    pub(in crate::modulefile::tcl::builtin) fn add_channel(&mut self, channel: Channel) -> Value {
        let channels = &mut self.state.channels.0;
        let mut number = 3;
        let name = loop {
            let name = format!("file{number}").into_bytes();
            if !channels.contains_key(&name) {
                break name;
            }
            number += 1;
        };
        let open = Open {
            channel,
            common: false,
            left: Vec::new(),
            holders: vec![self.realm],
        };
        channels.insert(name.clone(), open);
        Value::new(name)
    }

    /// By what a channel tells whether the interpreter that runs knows it.
    fn channel_holder(&self) -> (RealmId, bool) {
        (self.realm, self.realms[self.realm].safe)
    }

    /// Lets another interpreter know a channel of one, which keeps it or not.
    pub(in crate::modulefile::tcl::builtin) fn pass_channel(
        &mut self,
        from: RealmId,
        name: &Value,
        to: RealmId,
        keep: bool,
    ) -> Outcome<()> {
        let safe = self.realms[from].safe;
        let open = self.state.channels.0.get_mut(name.bytes());
        let open = open
            .filter(|open| open.is_known((from, safe)))
            .ok_or_else(|| unknown_channel(name.bytes()))?;
        if !open.holders.contains(&to) {
            open.holders.push(to);
        }
        if !keep && from != to {
            open.holders.retain(|holder| *holder != from);
        }
        Ok(())
    }

    /// Closes what only an interpreter that has ended knew.
    pub(in crate::modulefile::tcl) fn release_channels(&mut self, realm: RealmId) {
        let host = &mut *self.host;
        self.state.channels.0.retain(|_, open| {
            open.holders.retain(|holder| *holder != realm);
            let known = open.common || !open.holders.is_empty();
            if !known {
                // Nobody is left to hear of an error.
                let _ = open.channel.finish_output(host);
            }
            known
        });
    }

    /// Lets lines of output wait until there are many.
    pub(in crate::modulefile::tcl) fn gather_output(&mut self) {
        if let Some(stdout) = self.state.channels.0.get_mut(&b"stdout"[..]) {
            stdout.channel.gathered = true;
        }
    }

    /// Writes what can be written now of what is waiting.
    pub(in crate::modulefile::tcl::builtin) fn write_waiting(&mut self, name: &[u8]) {
        if let Some(open) = self.state.channels.0.get_mut(name) {
            // Nobody is there to hear of an error; what could not be written is lost.
            let _ = open.channel.flush(&mut *self.host);
            if name.starts_with(CLOSING) && !open.channel.stuck {
                self.state.channels.0.shift_remove(name);
            }
        }
    }

    /// Keeps a channel that was closed until it has written what it still holds. At the end of the script that is lost.
    pub(super) fn close_later(&mut self, channel: Channel) {
        let open = Open {
            channel,
            common: false,
            left: Vec::new(),
            holders: Vec::new(),
        };
        let channels = &mut self.state.channels.0;
        let name = (0..).map(|number: usize| bytes!(CLOSING, number.to_string()));
        let mut free = name.filter(|name| !channels.contains_key(name));
        if let Some(name) = free.next() {
            channels.insert(name, open);
        }
    }

    /// A channel that a script knows, for the event loop; the interpreter's own rights are not asked.
    pub(in crate::modulefile::tcl::builtin) fn channel_of(
        &mut self,
        name: &[u8],
    ) -> Option<&mut Channel> {
        Some(&mut self.state.channels.0.get_mut(name)?.channel)
    }

    /// The next line of standard input.
    pub(in crate::modulefile::tcl) fn input_line(&mut self) -> Outcome<Option<Vec<u8>>> {
        let stdin = Value::from("stdin");
        if find(self, &stdin).is_err() {
            return Ok(None);
        }
        with(self, &stdin, "reading", Channel::read_line)
    }

    /// The process ids behind a channel.
    pub(in crate::modulefile::tcl::builtin) fn channel_pids(
        &mut self,
        name: &Value,
    ) -> Outcome<Vec<i64>> {
        Ok(match &find(self, name)?.end {
            End::Pipe { children, .. } => children.ids(),
            _ => Vec::new(),
        })
    }

    /// The names of the channels that the interpreter that runs knows, of all or of those that fit a pattern.
    pub(in crate::modulefile::tcl::builtin) fn channel_names(&mut self, args: &[Value]) -> Outcome {
        let fits = |name: &[u8]| {
            args.first()
                .is_none_or(|pattern| string_match(pattern.bytes(), name, Case::Sensitive))
        };
        let holder = self.channel_holder();
        let channels = self.state.channels.0.iter();
        let names = channels.filter(|(name, open)| open.is_known(holder) && fits(name));
        Ok(Value::list(
            names.map(|(name, _)| Value::from(&name[..])).collect(),
        ))
    }

    /// The file behind a channel for a redirection; `None` for the standard ones.
    pub(in crate::modulefile::tcl::builtin) fn channel_file(
        &mut self,
        name: &Value,
        writing: bool,
    ) -> Outcome<Option<File>> {
        if writing {
            writable(self, name)?;
            with(self, name, "flushing", Channel::flush)?;
        } else {
            readable(self, name)?;
        }
        let channel = self.state.channels.get(name.bytes());
        let Some(Channel { end, .. }) = channel else {
            return Ok(None);
        };
        let copy = match end {
            End::Stdin | End::Output(_) => return Ok(None),
            End::File(file) => file.try_clone(),
            End::Pipe { .. } => match end.descriptor(&*self.host, writing) {
                Some(descriptor) => descriptor.try_clone_to_owned().map(File::from),
                None => return Ok(None),
            },
        };
        copy.map(Some).map_err(|error| {
            let why = posix_text(&error);
            let message = bytes!("channel \"", name, "\" cannot be used: ", why);
            Exit::posix(message, &error)
        })
    }

    /// Writes out and closes what the script left open.
    pub(in crate::modulefile::tcl) fn close_channels(&mut self) {
        for open in self.state.channels.0.values_mut() {
            // At the end nobody is left to hear of an error.
            let _ = open.channel.finish_output(&mut *self.host);
        }
        self.state.channels.0.clear();
    }
}

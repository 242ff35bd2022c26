//! Reads the directories of a modulepath ahead of their survey, on all cores: the survey itself goes through them one by
//! one, because rc files may speak about names that come later.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex};

use camino::{Utf8Path, Utf8PathBuf};

use super::dir::{Begins, Child, Dir};
use super::roots::{MAX_DEPTH, begins_as_modulefile, joined};
use super::survey::{Readers, Source, read_dir};
use crate::config::Config;

/// What was read of a directory.
type Ready = (Source, Option<Dir>);

/// Directories that wait to be read.
struct Queue {
    waiting: Vec<String>,
    /// How many are being read.
    busy: usize,
}

/// Reads all directories below a modulepath that are reached without following links, and looks into the files whose
/// names do not tell whether they are modulefiles.
pub(super) fn read(
    root: &Utf8Path,
    config: &Config,
    readers: Readers,
    now: i64,
) -> HashMap<String, Ready> {
    let threads = config.threads();
    if threads == 1 {
        return HashMap::new();
    }
    let queue = Mutex::new(Queue {
        waiting: vec![String::new()],
        busy: 0,
    });
    let changed = Condvar::new();
    let look = |dir: &str| -> Option<(Ready, Vec<String>)> {
        let (source, read) = read_dir_ahead(root, dir, config, readers, now)?;
        let mut below = Vec::new();
        if let Some(read) = &read {
            let dirs = read
                .children
                .iter()
                .filter(|(name, child)| **child == Child::Dir && !read.links.contains(*name));
            below = dirs.map(|(name, _)| joined(dir, name)).collect();
        }
        Some(((source, read), below))
    };
    let work = || {
        let mut done = Vec::new();
        loop {
            let dir = {
                let Ok(mut locked) = queue.lock() else {
                    return done;
                };
                loop {
                    if let Some(dir) = locked.waiting.pop() {
                        locked.busy += 1;
                        break dir;
                    }
                    if locked.busy == 0 {
                        changed.notify_all();
                        return done;
                    }
                    match changed.wait(locked) {
                        Ok(again) => locked = again,
                        Err(_) => return done,
                    }
                }
            };
            // Deep directories follow in the same thread: most hold few.
            let mut stack = vec![dir];
            let mut given = Vec::new();
            while let Some(dir) = stack.pop() {
                if dir.split('/').count() > MAX_DEPTH {
                    continue;
                }
                if let Some((ready, mut below)) = look(&dir) {
                    if below.len() > 8 {
                        given.append(&mut below);
                    }
                    stack.append(&mut below);
                    done.push((dir, ready));
                }
                if !given.is_empty()
                    && let Ok(mut locked) = queue.lock()
                {
                    locked.waiting.append(&mut given);
                    changed.notify_all();
                }
            }
            if let Ok(mut locked) = queue.lock() {
                locked.busy -= 1;
                if locked.busy == 0 {
                    changed.notify_all();
                }
            }
        }
    };
    let mut ready = HashMap::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            ready.extend(worker.join().unwrap_or_default());
        }
    });
    ready
}

/// Reads one directory in the same way.
pub fn read_dir_ahead(
    root: &Utf8Path,
    dir: &str,
    config: &Config,
    readers: Readers,
    now: i64,
) -> Option<(Source, Option<Dir>)> {
    let (source, mut read) = read_dir(root, dir, config.default_links, readers, now)?;
    if let Some(read) = &mut read {
        look_into(read, &root.join(dir), config);
    }
    Some((source, read))
}

/// Looks into the files of a directory whose names do not tell what they are. Those that are no modulefiles go: there may be
/// several times as many as others.
fn look_into(read: &mut Dir, path: &Utf8Path, config: &Config) {
    if !config.allow_tcl {
        return;
    }
    let mut others = false;
    read.children.retain(|_, child| {
        let Child::File(file) = child else {
            return true;
        };
        if file.language.is_some() {
            return true;
        }
        let begins = begins_as_modulefile(&Utf8PathBuf::from(format!("{path}/{}", file.file_name)));
        file.begins = Some(begins);
        others |= begins == Begins::Otherwise;
        begins != Begins::Otherwise
    });
    read.others |= others;
}

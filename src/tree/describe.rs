//! Evaluates modulefiles to know what they say about their modules.
//!
//! They are evaluated with side effects off ([`Mode::Spider`]), on all cores where there are many.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

use super::about::{About, Packed};
use super::crawl::{Memory, Mistake, Record};
use super::rc::RcEvaluator;
use super::recorder::Recorder;
use super::site;
use super::stamp::{self, Stamp};
use super::survey::Readers;
use crate::diag::Diagnostic;
use crate::modulefile::site::Site;
use crate::modulefile::{self, Languages, Mode, ModuleContext};

/// From this many modulefiles on, a crawl evaluates them on all cores.
const WORTH_THREADS: usize = 32;

/// A module whose file is to be evaluated.
pub(super) struct Subject {
    pub(super) number: u32,
    pub(super) full_name: String,
    /// How many bytes of the full name are the name.
    pub(super) name_length: usize,
    pub(super) file: Utf8PathBuf,
}

/// What came of evaluating a file.
pub(super) type Described = (Record, Option<Box<Diagnostic>>);

/// So many results wait to be taken in before the threads that make them have to.
const WAITING_RESULTS: usize = 256;

/// Hands over what each modulefile says about its module, in no order; false where the time was over before all was said.
pub(super) fn describe_all<'m>(
    root: &Utf8Path,
    modules: &'m [Subject],
    site: &RcEvaluator<'_>,
    memory: &dyn Memory,
    deadline: Option<Instant>,
    take: &mut dyn FnMut(&Subject, Described),
) -> bool {
    let over = || deadline.is_some_and(|deadline| Instant::now() > deadline);
    // What was ended by the clock said something else than it would have said.
    let in_time = |describe: &mut dyn FnMut() -> Described| {
        let described = (!over()).then(describe);
        described.filter(|_| !over())
    };
    let readers = memory.readers();
    let threads = site.config.threads();
    if modules.len() < WORTH_THREADS || threads == 1 {
        let mut site = RcEvaluator::new(site.session, site.config, site.languages, site.shell);
        site.deadline = deadline;
        for (done, subject) in modules.iter().enumerate() {
            memory.progress(done, modules.len());
            match in_time(&mut || describe(root, subject, &site, readers)) {
                Some(described) => take(subject, described),
                None => return false,
            }
        }
        return true;
    }
    let (session, config) = (site.session, site.config);
    let next = AtomicUsize::new(0);
    let work = |results: mpsc::SyncSender<(&'m Subject, Described)>| {
        // The language machines belong to one thread, and so do the questions that files ask.
        let session = session.clone();
        let languages = Languages::default();
        while let Some(subject) = modules.get(next.fetch_add(1, Ordering::Relaxed)) {
            let described = in_time(&mut || {
                let mut site = RcEvaluator::new(&session, config, &languages, "bash");
                site.deadline = deadline;
                describe(root, subject, &site, readers)
            });
            let sent = described.map(|described| results.send((subject, described)));
            if !matches!(sent, Some(Ok(()))) {
                return;
            }
        }
    };
    let mut done = 0;
    std::thread::scope(|scope| {
        let (sender, results) = mpsc::sync_channel(WAITING_RESULTS);
        for _ in 0..threads {
            let sender = sender.clone();
            scope.spawn(|| work(sender));
        }
        drop(sender);
        for (subject, described) in results {
            take(subject, described);
            done += 1;
            memory.progress(done, modules.len());
        }
    });
    done == modules.len()
}

/// What a modulefile says about its module; and its first mistake.
fn describe(
    root: &Utf8Path,
    subject: &Subject,
    evaluator: &RcEvaluator<'_>,
    readers: Readers,
) -> Described {
    // The stamp is taken first, so that a change in between is noticed later.
    let now = stamp::now();
    let meta = std::fs::metadata(&subject.file).ok();
    let is_secret = |meta: &std::fs::Metadata| meta.permissions().mode() & 0o004 == 0;
    if readers == Readers::Everybody && meta.as_ref().is_some_and(is_secret) {
        // Those who may read it evaluate it themselves.
        return (Record::default(), None);
    }
    let stamp = meta.map(|meta| Stamp::new(&meta));
    let stamp = stamp.filter(|stamp| stamp.is_settled(now));
    let source = match modulefile::read(&subject.file) {
        Ok(source) => source,
        Err(mistake) => return (Record::default(), Some(Box::new(mistake))),
    };
    let (name, version) = subject.full_name.split_at(subject.name_length);
    let context = ModuleContext {
        name: name.to_owned(),
        version: version.strip_prefix('/').map(str::to_owned),
        requested: subject.full_name.clone(),
        file: subject.file.clone(),
        modulepath: root.to_owned(),
        ..ModuleContext::default()
    };
    let mut world = Recorder::new(evaluator, Mode::Spider);
    let result = modulefile::evaluate(&source, &context, Mode::Spider, &mut world);
    let mut reads = world.into_reads();
    let (evaluation, mistake) = match result {
        Ok(evaluation) => (evaluation, None),
        Err(failure) => (failure.evaluation, Some(failure.diagnostic)),
    };
    let mut about = About::from_evaluation(&evaluation);
    let code = Site::new(evaluator.session, evaluator.config, evaluator.languages);
    if let Some((packages, libraries)) = site::package_patterns(&code) {
        about.add_directories(&evaluation, &packages, &libraries);
    }
    reads.volatile |= about.is_dynamic;
    let kept = (mistake.as_ref()).map(|mistake| Mistake::of(mistake, &subject.file));
    let record = Record {
        stamp: stamp.filter(|_| kept != Some(None)),
        reads,
        about: Packed::new(&about),
        mistake: kept.flatten().map(Box::new),
    };
    (record, mistake)
}

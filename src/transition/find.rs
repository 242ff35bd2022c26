//! Where the engine gets modulefiles from.

use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::{self, Cache};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind, SourceFile};
use crate::env::Loaded;
use crate::modulefile::relation::Hiding;
use crate::modulefile::site::{CacheUse, Site};
use crate::modulefile::{self, Directive, Languages, LoadedModule, ModuleContext};
use crate::name::Spec;
use crate::resolve::{Beyond, Found, ResolveError, Resolver};
use crate::session::Session;
use crate::tree::{Crawl, Depth, GlobalRc, Memory, Rank, RcEvaluator, Wanted};

/// How long an error message may look for the module in other hierarchies.
const LOOK_ELSEWHERE: Duration = Duration::from_millis(500);

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// Nothing has this name.
    Unknown(Box<Diagnostic>),
    /// It exists, but must not be loaded, or its rc files are broken.
    Refused(Box<Diagnostic>),
}

impl Miss {
    /// The message.
    pub fn into_diagnostic(self) -> Diagnostic {
        match self {
            Miss::Unknown(diagnostic) | Miss::Refused(diagnostic) => *diagnostic,
        }
    }
}

impl From<ResolveError> for Miss {
    fn from(error: ResolveError) -> Miss {
        match error {
            ResolveError::NotFound { .. }
            | ResolveError::NoDefault { .. }
            | ResolveError::NotLoaded { .. } => Miss::Unknown(Box::new(error.into())),
            ResolveError::NotModulefile { .. }
            | ResolveError::Unreadable { .. }
            | ResolveError::Forbidden { .. }
            | ResolveError::Loop { .. } => Miss::Refused(Box::new(error.into())),
        }
    }
}

/// Where modulefiles come from: the trees on disk, or those of a test.
pub trait Modulefiles {
    /// The file that `spec` means when `modulepaths` are searched in this order.
    ///
    /// # Errors
    /// There is none, or it must not be used.
    fn find(
        &mut self,
        spec: &Spec,
        modulepaths: Vec<Utf8PathBuf>,
        loaded: &Loaded,
    ) -> Result<Found, Miss>;

    /// The content of a file.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&mut self, file: &Utf8Path) -> Result<Arc<SourceFile>, Diagnostic>;

    /// What the alias `name` stands for.
    fn alias_target(&mut self, name: &str) -> Option<String>;

    /// The symbolic versions that point at `full_name`.
    fn symbols(&mut self, full_name: &str) -> Vec<String>;

    /// Who marked the module as the default of its name: see [`modulefile::World::default_kind`].
    fn default_kind(&mut self, _modulepath: &Utf8Path, _full_name: &str) -> &'static str {
        "none"
    }

    /// The message for a module that was not found, with what was probably meant and how to get there.
    fn explain(&mut self, spec: &Spec, diagnostic: Diagnostic) -> Diagnostic;

    /// The modules that are wanted of these modulepaths, or of all hierarchies that can be reached from them; with what
    /// they are about. What is not found out by `deadline` is left out.
    fn crawl(
        &mut self,
        wanted: Wanted<'_>,
        depth: Depth,
        modulepaths: Vec<Utf8PathBuf>,
        loaded: &Loaded,
        deadline: Option<Instant>,
    ) -> Crawl;

    /// Whether a cache turned out to be damaged after it was asked: then nothing that was learned from it counts.
    fn is_cache_damaged(&self) -> bool {
        false
    }

    /// Takes over what the rc files of the site and of the user say, which were evaluated by themselves.
    fn know_global(&mut self, read: Vec<GlobalRc>);

    /// Takes over what a modulefile says about names.
    fn know_rule(&mut self, _module: &ModuleContext, _rule: &Directive) {}

    /// Warnings about rc files that were read meanwhile.
    fn take_warnings(&mut self) -> Vec<Diagnostic>;
}

/// The trees on disk.
pub struct Trees<'a> {
    resolver: Resolver,
    rc: RcEvaluator<'a>,
    cache: Option<Cache>,
    /// The settings with the places of caches that the site's files name, once one is needed.
    cache_places: Option<Config>,
    is_saved: bool,
}

impl<'a> Trees<'a> {
    /// Nothing is read until something is asked for.
    pub fn new(
        session: &'a Session,
        config: &'a Config,
        languages: &'a Languages,
        shell: &'a str,
    ) -> Trees<'a> {
        Trees {
            resolver: Resolver::default(),
            rc: RcEvaluator::new(session, config, languages, shell),
            cache: None,
            cache_places: None,
            is_saved: false,
        }
    }

    /// Crawls with the caches of the session; what took long is remembered for the next time.
    fn crawl_until(
        &mut self,
        wanted: Wanted<'_>,
        depth: Depth,
        deadline: Option<Instant>,
    ) -> Crawl {
        let (session, config) = (self.rc.session, self.rc.config);
        let start = Instant::now();
        let site = Site::new(session, config, self.rc.languages);
        let places =
            (self.cache_places).get_or_insert_with(|| site.with_cache_places(CacheUse::Read));
        let cache = self
            .cache
            .get_or_insert_with(|| Cache::open(session, places));
        let roots = self.resolver.roots();
        let crawl = roots.crawl_for(wanted, depth, &mut self.rc, cache, deadline);
        // A hook that fails has said so elsewhere; it does not forbid.
        let may_write = || site.may_write_cache().unwrap_or(true);
        let slow = start.elapsed().as_millis() > u128::from(config.cache_after_ms);
        let place = cache::path(session, places, cache::Owner::User);
        // A quick look at names is nothing to replace a whole cache with.
        let is_due = slow || cache.is_outdated() && depth != Depth::Names;
        if is_due && crawl.is_news() && !config.ignore_cache && !self.is_saved && may_write() {
            self.is_saved = true;
            // A home that cannot be written is no reason to fail: the next crawl is as slow as this one.
            if let Some(path) = place {
                let _ = cache.save(&path, &crawl, config, cache::Others::Stay);
            }
        }
        crawl
    }

    fn look_in(&mut self, modulepaths: Vec<Utf8PathBuf>, loaded: &Loaded) {
        if self.resolver.modulepaths() != modulepaths {
            self.resolver.set_modulepaths(modulepaths);
        }
        // Rc files are read once, so they see what was loaded when the first of them was.
        if self.rc.loaded.is_empty() {
            self.rc.loaded = loaded_modules(loaded);
        }
    }
}

impl Modulefiles for Trees<'_> {
    fn find(
        &mut self,
        spec: &Spec,
        modulepaths: Vec<Utf8PathBuf>,
        loaded: &Loaded,
    ) -> Result<Found, Miss> {
        self.look_in(modulepaths, loaded);
        match self.resolver.resolve(spec, &mut self.rc) {
            Ok(found) => Ok(found),
            Err(ResolveError::NotFound { spec }) => {
                let unknown = Resolver::unknown(&spec, self.rc.config);
                Err(Miss::Unknown(Box::new(unknown)))
            }
            Err(error @ ResolveError::Forbidden { .. }) => {
                let explained = (self.resolver).explain(&error, &Beyond::default(), &mut self.rc);
                Err(Miss::Refused(Box::new(explained)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn read(&mut self, file: &Utf8Path) -> Result<Arc<SourceFile>, Diagnostic> {
        match self.resolver.roots().take_source(file) {
            Some(source) => Ok(source),
            None => modulefile::read(file),
        }
    }

    fn alias_target(&mut self, name: &str) -> Option<String> {
        self.resolver.alias_target(name, &mut self.rc)
    }

    fn symbols(&mut self, full_name: &str) -> Vec<String> {
        self.resolver.symbols(full_name, &mut self.rc)
    }

    fn default_kind(&mut self, modulepath: &Utf8Path, full_name: &str) -> &'static str {
        match self.resolver.marked_by(modulepath, full_name, &mut self.rc) {
            Rank::User => "user",
            Rank::System => "system",
            Rank::Tree => "marked",
            Rank::Plain | Rank::Meta => "none",
        }
    }

    fn explain(&mut self, spec: &Spec, diagnostic: Diagnostic) -> Diagnostic {
        // Nobody reads it: no look at the whole tree.
        if self.rc.config.is_mute() || !self.rc.config.look_for_misses {
            return diagnostic;
        }
        let Err(error) = self.resolver.resolve(spec, &mut self.rc) else {
            return diagnostic;
        };
        let beyond = match &error {
            ResolveError::NotFound { .. } => {
                let deadline = Some(Instant::now() + LOOK_ELSEWHERE);
                // What is wrong with other files is no news for who asked for this one.
                let warnings = self.resolver.take_warnings();
                let crawl = self.crawl_until(Wanted::All, Depth::All, deadline);
                self.resolver.roots().set_warnings(warnings);
                Beyond::of(&crawl, spec, self.rc.config.version_order, deadline)
            }
            _ => Beyond::default(),
        };
        let mut explained = self.resolver.explain(&error, &beyond, &mut self.rc);
        explained.notes.extend(diagnostic.notes);
        explained.place = diagnostic.place;
        explained
    }

    fn crawl(
        &mut self,
        wanted: Wanted<'_>,
        depth: Depth,
        modulepaths: Vec<Utf8PathBuf>,
        loaded: &Loaded,
        deadline: Option<Instant>,
    ) -> Crawl {
        self.look_in(modulepaths, loaded);
        self.crawl_until(wanted, depth, deadline)
    }

    fn is_cache_damaged(&self) -> bool {
        let store = self.cache.as_ref().and_then(|cache| cache.store());
        store.is_some_and(|store| store.is_damaged())
    }

    fn know_global(&mut self, read: Vec<GlobalRc>) {
        self.resolver.roots().know_global(read, self.rc.config);
    }

    fn know_rule(&mut self, module: &ModuleContext, rule: &Directive) {
        let roots = self.resolver.roots();
        roots.know_rule(&module.name, &module.file, rule.clone(), &mut self.rc);
    }

    fn take_warnings(&mut self) -> Vec<Diagnostic> {
        let mut warnings = self.resolver.take_warnings();
        let problems = self.cache.as_mut().map(Cache::take_problems);
        warnings.extend(problems.into_iter().flatten().map(|problem| {
            Diagnostic::new(Kind::Site, problem.to_string()).help("xmod cache build")
        }));
        warnings
    }
}

/// The loaded modules as modulefiles and rc files may see them.
pub(super) fn loaded_modules(loaded: &Loaded) -> Vec<LoadedModule> {
    let modules = loaded.active().iter();
    modules
        .map(|module| LoadedModule {
            name: module.name().to_owned(),
            full_name: module.full_name.clone(),
            requested: module.requested.clone(),
            file: module.file.clone(),
            ref_count: loaded.ref_count(module),
            depth: module.depth,
            properties: module.properties.clone(),
        })
        .collect()
}

/// The tags that a module has from the moment it is found: `hidden` and `hidden-loaded` are what `list` needs to know.
pub(super) fn tags_of(found: &Found) -> Vec<String> {
    let mut tags = found.tags.clone();
    match found.hiding {
        Some(Hiding::Soft) => tags.push("hidden-soft".to_owned()),
        Some(_) => tags.push("hidden".to_owned()),
        None => {}
    }
    if found.hidden_loaded {
        tags.push("hidden-loaded".to_owned());
    }
    tags
}

/// What has to be said when a module is loaded.
pub(super) fn words_of(found: &Found) -> Vec<String> {
    let mut words = found.warnings.clone();
    if let Some(soon) = &found.nearly_forbidden {
        words.push(match &soon.message {
            Some(message) => message.clone(),
            None => format!(
                "access will be denied to `{}` from {} on",
                found.full_name(),
                soon.after
            ),
        });
    }
    words
}

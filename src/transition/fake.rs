//! A site in memory with a small language, so that the engine can be tested without files and without Tcl or Lua.
//!
//! One command a line: `setenv A B`, `prepend VAR ENTRY`, `load NAME...`, `family F`, ... A file is kept under
//! `/TREE/NAME/VERSION`; the highest version by text is the default.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Finished, Miss, Modulefiles, Transition, UsePosition};
use crate::config::{Config, Policy};
use crate::diag::{Diagnostic, Kind, Place, SourceFile};
use crate::env::{EnvOp, Loaded, PathAction, VarName};
use crate::modulefile::{
    Evaluation, Failure, Host, Languages, Level, Mode, ModuleContext, Relation, RelationKind, Stop,
    World,
};
use crate::name::Spec;
use crate::resolve::Found;
use crate::session::{Environment, Session};
use crate::tree::{Crawl, Depth, Wanted};

/// Files by path.
#[derive(Debug, Clone, Default)]
pub(super) struct Site {
    pub(super) files: BTreeMap<String, String>,
}

impl Site {
    pub(super) fn file(mut self, path: &str, text: &str) -> Site {
        self.files.insert(path.to_owned(), text.replace("; ", "\n"));
        self
    }
}

impl Modulefiles for Site {
    fn find(
        &mut self,
        spec: &Spec,
        modulepaths: Vec<Utf8PathBuf>,
        _: &Loaded,
    ) -> Result<Found, Miss> {
        for modulepath in modulepaths {
            let exact = format!("{modulepath}/{}", spec.path);
            let below = format!("{exact}/");
            let file = self.files.get_key_value(&exact).or_else(|| {
                self.files
                    .range(below.clone()..)
                    .take_while(|(path, _)| path.starts_with(&below))
                    .last()
            });
            if let Some((file, _)) = file {
                let full_name = &file[modulepath.as_str().len() + 1..];
                let (name, version) = full_name.split_once('/').unwrap_or((full_name, ""));
                return Ok(Found {
                    name: name.to_owned(),
                    version: (!version.is_empty()).then(|| version.to_owned()),
                    requested: spec.path.clone(),
                    file: file.as_str().into(),
                    modulepath,
                    ..Found::default()
                });
            }
        }
        Err(Miss::Unknown(Box::new(Diagnostic::new(
            Kind::Module,
            format!("no module `{spec}`"),
        ))))
    }

    fn read(&mut self, file: &Utf8Path) -> Result<Arc<SourceFile>, Diagnostic> {
        match self.files.get(file.as_str()) {
            Some(text) => Ok(SourceFile::new(file, text.as_bytes())),
            None => Err(Diagnostic::new(Kind::Modulefile, "no such file")),
        }
    }

    fn explain(&mut self, _: &Spec, diagnostic: Diagnostic) -> Diagnostic {
        diagnostic
    }

    fn crawl(
        &mut self,
        _: Wanted<'_>,
        _: Depth,
        _: Vec<Utf8PathBuf>,
        _: &Loaded,
        _: Option<std::time::Instant>,
    ) -> Crawl {
        Crawl::default()
    }

    fn alias_target(&mut self, _: &str) -> Option<String> {
        None
    }

    fn symbols(&mut self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn know_global(&mut self, _: Vec<crate::tree::GlobalRc>) {}

    fn take_warnings(&mut self) -> Vec<Diagnostic> {
        Vec::new()
    }
}

/// Runs the small language.
pub(super) fn evaluate(
    source: &Arc<SourceFile>,
    module: &ModuleContext,
    mode: Mode,
    world: &mut dyn World,
) -> Result<Evaluation, Failure> {
    let mut host = Host::new(world, module, mode, source);
    let text = std::str::from_utf8(source.text()).unwrap().to_owned();
    let result = text.lines().zip(1..).try_for_each(|(line, number)| {
        host.place = Place::line(source, number);
        run(&mut host, line)
    });
    host.finish(result)
}

fn run(host: &mut Host, line: &str) -> Result<(), Stop> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((&command, args)) = words.split_first() else {
        return Ok(());
    };
    let var = || VarName::new(args[0]).unwrap();
    let path = |action, priority| EnvOp::Path {
        action,
        var: var(),
        value: args.get(1).copied().unwrap_or("").into(),
        delim: ":".into(),
        priority,
        duplicates: false,
    };
    let relation = match command {
        "load" => RelationKind::Load,
        "try_load" => RelationKind::TryLoad,
        "load_any" => RelationKind::LoadAny,
        "always_load" => RelationKind::AlwaysLoad,
        "unload" => RelationKind::Unload,
        "depends_on" => RelationKind::DependsOn,
        "depends_on_any" => RelationKind::DependsOnAny,
        "prereq" => RelationKind::PrereqAll,
        "prereq_any" => RelationKind::PrereqAny,
        "conflict" => RelationKind::Conflict,
        "purge" => RelationKind::Purge,
        "inherit" => RelationKind::Inherit,
        "family" => {
            let mut relation = Relation::new(RelationKind::Family, Vec::new());
            relation.family = args[0].to_owned();
            return host.relate(relation);
        }
        "setenv" => {
            return host.push(EnvOp::Set {
                var: var(),
                value: args[1].into(),
                if_unset: false,
            });
        }
        "setenv_in" => {
            let op = EnvOp::Set {
                var: VarName::new(args[1]).unwrap(),
                value: args[2].into(),
                if_unset: false,
            };
            return host.push_in_modes(op, &[args[0].to_owned()]);
        }
        "unsetenv" => {
            return host.push(EnvOp::Unset {
                var: var(),
                on_unload: None,
            });
        }
        "pushenv" => {
            return host.push(EnvOp::Push {
                var: var(),
                value: Some(args[1].into()),
            });
        }
        "alias" => {
            return host.push(EnvOp::Alias {
                name: args[0].to_owned(),
                value: args[1].into(),
            });
        }
        "prepend" => return host.push(path(PathAction::Prepend, 0)),
        "append" => return host.push(path(PathAction::Append, 0)),
        "remove" => return host.push(path(PathAction::Remove, 0)),
        "priority" => return host.push(path(PathAction::Prepend, 10)),
        "sticky" => {
            let property = ("lmod".to_owned(), "sticky".to_owned());
            host.evaluation.properties.push(property);
            return Ok(());
        }
        "super_sticky" => {
            host.evaluation.tags.push("super-sticky".to_owned());
            return Ok(());
        }
        "say" => {
            host.tell(Level::Plain, args.join(" "));
            return Ok(());
        }
        "break" => return Err(Stop::Break(None)),
        "fail" => {
            return Err(Stop::fatal(Diagnostic::new(
                Kind::Modulefile,
                args.join(" "),
            )));
        }
        "fail_on_unload" if host.mode == Mode::Unload => {
            return Err(Stop::fatal(Diagnostic::new(
                Kind::Modulefile,
                "does not unload",
            )));
        }
        "fail_on_unload" => return Ok(()),
        other => panic!("no command `{other}` in the language of the tests"),
    };
    let specs = args.iter().map(|name| Spec::plain(name).unwrap()).collect();
    host.relate(Relation::new(relation, specs))
}

/// A shell in which requests follow one another.
pub(super) struct Shell {
    pub(super) site: Site,
    pub(super) session: Session,
    pub(super) config: Config,
    pub(super) report: super::Report,
}

impl Shell {
    pub(super) fn new(site: Site) -> Shell {
        let env: Environment = [("MODULEPATH", "/Core"), ("PATH", "/usr/bin:/bin")]
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let mut session = Session::default();
        session.env = env;
        Shell {
            site,
            session,
            config: Config::preset(Policy::Lmod),
            report: super::Report::default(),
        }
    }

    pub(super) fn var(&self, name: &str) -> Option<String> {
        self.session.var(name).map(|v| v.to_string())
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.session.env.insert(name.into(), value.into());
    }

    pub(super) fn loaded(&self) -> String {
        self.var("LOADEDMODULES").unwrap_or_default()
    }

    /// The environment without our own variable.
    pub(super) fn env(&self) -> BTreeMap<String, String> {
        self.session
            .env
            .iter()
            .filter(|(name, _)| !name.starts_with(b"__XMOD"))
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    }

    /// One request; the environment afterwards is what a shell would have.
    pub(super) fn request(
        &mut self,
        act: impl FnOnce(&mut Transition) -> Result<(), Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let languages = Languages::default();
        let mut transition = Transition::new(
            &self.session,
            &self.config,
            &languages,
            &mut self.site,
            "bash",
            "load",
        );
        transition.evaluate = evaluate;
        act(&mut transition)?;
        let Finished {
            state,
            report,
            errors,
            ..
        } = transition.finish();
        let env = state.environment();
        self.report = report;
        self.session.env = env;
        match errors.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The loaded modules as a collection.
    pub(super) fn collection(&mut self) -> crate::collection::Collection {
        let mut collection = None;
        self.request(|t| {
            collection = Some(t.collection());
            Ok(())
        })
        .unwrap();
        collection.unwrap()
    }

    /// Who is behind a word: `VAR=VALUE <- MODULE FILE:LINE`, one line each.
    pub(super) fn why(&mut self, word: &str) -> String {
        let mut lines = Vec::new();
        self.request(|t| {
            for origin in t.why(word.into()) {
                let value = origin.value.map_or("(unset)".into(), |v| v.to_string());
                let mut line = format!("{}={value}", origin.variable);
                for behind in origin.modules {
                    line.push_str(&format!(" <- {}", behind.full_name));
                    if let Some((file, number)) = behind.place {
                        line.push_str(&format!(" {file}:{number}"));
                    }
                    if let Some(replaced) = behind.replaced {
                        line.push_str(&format!(" (was {replaced})"));
                    }
                }
                lines.push(line);
            }
            Ok(())
        })
        .unwrap();
        lines.join("\n")
    }

    /// A request in words: `load a b`, `unload a`, `swap a b`, `purge`, `use DIR`, ...; the first line of an error.
    pub(super) fn run(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (force, words) = match words.split_first() {
            Some((&"--force", rest)) => (true, rest.to_vec()),
            _ => (false, words),
        };
        let specs = words[1..].iter().map(|w| Spec::plain(w).unwrap());
        let specs: Vec<Spec> = specs.collect();
        let dirs: Vec<bstr::BString> = words[1..].iter().map(|w| (*w).into()).collect();
        self.request(|t| {
            t.force = force;
            match words[0] {
                "load" => t.load(&specs),
                "try-load" => t.try_load(&specs),
                "unload" => t.unload(&specs),
                "swap" => t.swap(&specs[0], &specs[1]),
                "purge" => t.purge(),
                "update" => t.update(),
                "reset" => t.reset(&specs),
                "refresh" => t.refresh(),
                "undo" => t
                    .undo(words.get(1).map_or(1, |n| n.parse().unwrap()))
                    .map(|_| ()),
                "use" => t.use_paths(&dirs, UsePosition::Front, 0),
                "use-back" => t.use_paths(&dirs, UsePosition::Back, 0),
                "unuse" => t.unuse_paths(&dirs),
                other => panic!("no request `{other}` in the tests"),
            }
        })
        .map_err(|diagnostic| diagnostic.message)
    }

    pub(super) fn ok(&mut self, line: &str) -> &mut Shell {
        if let Err(error) = self.run(line) {
            panic!("{line}: {error}");
        }
        self
    }
}

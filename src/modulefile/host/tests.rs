//! A world for tests: a few loaded modules, a tree of names, everything that is said and done recorded.

use bstr::{BStr, BString, ByteSlice};
use camino::Utf8PathBuf;

use super::Host;
use crate::config::{Config, Policy};
use crate::diag::{Diagnostic, Kind, Place, SourceFile};
use crate::env::{EnvOp, PathRules, State};
use crate::modulefile::relation::RelationKind;
use crate::modulefile::{
    Evaluation, Failure, Languages, LoadedModule, Message, Mode, ModuleContext, Relation, World,
    evaluate,
};
use crate::name::Spec;
use crate::session::{Environment, Session};

/// The world.
pub(in crate::modulefile) struct Fake {
    pub(in crate::modulefile) session: Session,
    pub(in crate::modulefile) config: Config,
    pub(in crate::modulefile) state: State<'static>,
    pub(in crate::modulefile) module: ModuleContext,
    /// Modules that could be loaded, as full names.
    pub(in crate::modulefile) known: Vec<&'static str>,
    /// Modules that are loaded, as full names.
    pub(in crate::modulefile) loaded: Vec<&'static str>,
    pub(in crate::modulefile) shell: &'static str,
    pub(in crate::modulefile) command: &'static str,
    pub(in crate::modulefile) sourced: Vec<(BString, Vec<EnvOp>)>,
    pub(in crate::modulefile) messages: Vec<Message>,
    languages: Languages,
}

impl Fake {
    /// A bash session in which `a/1.0` is evaluated and nothing is loaded.
    pub(in crate::modulefile) fn new() -> Fake {
        let variables = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("HOME", "/home/ann"),
            ("MODULEPATH", "/mods:/more"),
        ];
        let env: Environment = variables
            .map(|(name, value)| (BString::from(name), BString::from(value)))
            .into();
        let mut session = Session::default();
        session.env.clone_from(&env);
        Fake {
            session,
            config: Config::preset(Policy::Modules),
            state: State::new(Box::leak(Box::new(env)), PathRules::default()),
            module: ModuleContext {
                name: "a".to_owned(),
                version: Some("1.0".to_owned()),
                requested: "a".to_owned(),
                file: "/mods/a/1.0".into(),
                modulepath: "/mods".into(),
                ..ModuleContext::default()
            },
            known: vec!["b/1", "b/2", "c/1"],
            loaded: Vec::new(),
            shell: "bash",
            command: "load",
            sourced: Vec::new(),
            messages: Vec::new(),
            languages: Languages::default(),
        }
    }

    /// Runs `act` on a host of this world.
    pub(in crate::modulefile) fn with_host<T>(
        &mut self,
        mode: Mode,
        act: impl FnOnce(&mut Host) -> T,
    ) -> T {
        let module = self.module.clone();
        let source = SourceFile::new(module.file.clone(), "");
        act(&mut Host::new(self, &module, mode, &source))
    }

    /// Evaluates a modulefile with this text.
    pub(in crate::modulefile) fn evaluate(
        &mut self,
        mode: Mode,
        text: impl Into<Vec<u8>>,
    ) -> Result<Evaluation, Failure> {
        let module = self.module.clone();
        let source = SourceFile::new(module.file.clone(), text);
        evaluate(&source, &module, mode, self)
    }

    /// The value of a variable now.
    pub(in crate::modulefile) fn value(&self, name: &str) -> Option<String> {
        self.state.var(name).map(ToString::to_string)
    }

    /// What was said, level and text.
    pub(in crate::modulefile) fn said(&self) -> Vec<String> {
        self.messages
            .iter()
            .map(|message| format!("{:?}: {}", message.level, message.text))
            .collect()
    }
}

fn matches(full: &str, spec: &Spec) -> bool {
    full == spec.path
        || full
            .strip_prefix(&spec.path)
            .is_some_and(|rest| rest.starts_with('/'))
}

impl World for Fake {
    fn session(&self) -> &Session {
        &self.session
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn languages(&self) -> &Languages {
        &self.languages
    }

    fn shell_name(&self) -> &str {
        self.shell
    }

    fn var(&self, name: &BStr) -> Option<&BStr> {
        self.state.var(name)
    }

    fn environment(&self) -> Environment {
        self.state.environment()
    }

    fn apply(&mut self, _: &ModuleContext, op: &EnvOp, place: &Place) -> Result<(), Diagnostic> {
        if op.var().is_some_and(|var| var.as_str() == "PROTECTED") {
            return Err(Diagnostic::new(Kind::Module, "protected").at(place.clone(), ""));
        }
        self.state.apply(op, None);
        Ok(())
    }

    fn relate(
        &mut self,
        _: &ModuleContext,
        relation: &Relation,
        place: &Place,
    ) -> Result<(), Diagnostic> {
        if relation.kind == RelationKind::Load
            && let Some(spec) = relation.specs.iter().find(|s| self.find(s).is_none())
        {
            return Err(
                Diagnostic::new(Kind::Module, format!("unknown module `{spec}`"))
                    .at(place.clone(), ""),
            );
        }
        Ok(())
    }

    fn is_loaded(&self, spec: &Spec) -> bool {
        self.loaded.iter().any(|full| matches(full, spec))
    }

    fn is_pending(&self, _: &Spec) -> bool {
        false
    }

    fn find(&mut self, spec: &Spec) -> Option<Utf8PathBuf> {
        self.full_name(spec)
            .map(|full| Utf8PathBuf::from("/mods").join(full))
    }

    fn full_name(&mut self, spec: &Spec) -> Option<String> {
        let found = self.known.iter().rev().find(|full| matches(full, spec));
        found.map(|full| (*full).to_owned())
    }

    fn alias_target(&mut self, name: &str) -> Option<String> {
        (name == "bee").then(|| "b/1".to_owned())
    }

    fn symbols(&mut self, full_name: &str) -> Vec<String> {
        match full_name {
            "b/2" => vec!["default".to_owned(), "new".to_owned()],
            _ => Vec::new(),
        }
    }

    fn tags(&mut self, _: &ModuleContext) -> Vec<String> {
        vec!["sticky".to_owned()]
    }

    fn collections(&mut self) -> Vec<String> {
        vec!["default".to_owned()]
    }

    fn sourced(&self, _: &ModuleContext, call: &BStr) -> Option<Vec<EnvOp>> {
        let found = self.sourced.iter().find(|(key, _)| key == call);
        found.map(|(_, ops)| ops.clone())
    }

    fn loaded_modules(&self) -> Vec<LoadedModule> {
        self.loaded
            .iter()
            .map(|full| LoadedModule {
                name: full.split('/').next().unwrap_or_default().to_owned(),
                full_name: (*full).to_owned(),
                requested: (*full).to_owned(),
                file: Utf8PathBuf::from("/mods").join(full),
                ref_count: None,
                depth: 0,
                properties: Vec::new(),
            })
            .collect()
    }

    fn command(&self) -> &str {
        self.command
    }

    fn tell(&mut self, message: Message) {
        self.messages.push(message);
    }
}

/// The text of a value for comparisons.
pub(in crate::modulefile) fn shown(op: &EnvOp) -> String {
    match op {
        EnvOp::Set { var, value, .. } => format!("{var}={value}"),
        EnvOp::Path {
            action, var, value, ..
        } => format!("{action:?} {var} {value}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_value_that_a_file_sets_for_itself_ends_where_the_file_gives_it_to_all() {
    let mut fake = Fake::new();
    let seen = fake.with_host(Mode::Load, |host| {
        let name = b"HOME".as_bstr();
        host.set_private(name, Some("/tmp".into()));
        let private = host.var(name);
        let var = crate::env::VarName::new("HOME").unwrap();
        let value = BString::from("/new");
        host.push(EnvOp::Set {
            var,
            value,
            if_unset: false,
        })
        .unwrap();
        (private, host.var(name))
    });
    assert_eq!(seen, (Some("/tmp".into()), Some("/new".into())));
}

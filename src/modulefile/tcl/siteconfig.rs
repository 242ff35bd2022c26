//! `siteconfig.tcl` of Environment Modules: what a site sets, and adds to all its Tcl modulefiles and rc files.
//!
//! The file runs in the first interpreter, and the modulefile in a child of it, whose commands are those of modulefiles.
//! What the file may call beside Tcl's own commands stands in `library/siteconfig.tcl`; the inner procedures of
//! `modulecmd.tcl` are not there. Source: `module(1)` "siteconfig.tcl"; Environment Modules, "Site-specific configuration".

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use super::error::Exit;
use super::interp::Interp;
use super::value::Value;
use crate::config::Config;
use crate::diag::SourceFile;
use crate::modulefile::Mode;
use crate::modulefile::host::{Host, facts};

/// The name of the interpreter that runs the modulefile.
const MODFILE: &str = "__modfile_1_0";

/// The files of the site, read once.
#[derive(Debug, Default)]
pub(in crate::modulefile) struct SiteFiles {
    read: OnceCell<Vec<Arc<SourceFile>>>,
}

impl SiteFiles {
    /// The files in the order in which they run; those that cannot be read are passed over, as in Environment Modules.
    pub(in crate::modulefile) fn get(&self, config: &Config) -> &[Arc<SourceFile>] {
        self.read.get_or_init(|| {
            let paths = [&config.siteconfig, &config.extra_siteconfig];
            let named = paths.into_iter().filter(|path| !path.is_empty());
            let read = |path: &String| {
                let text = std::fs::read(path).ok()?;
                Some(SourceFile::new(path.as_str(), text))
            };
            named.filter_map(read).collect()
        })
    }
}

/// Whose code runs in an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Speaker {
    /// The modulefile.
    #[default]
    File,
    /// The site's files, once more: what they write was shown when the request began.
    Siteconfig,
    /// A hook of the site, which may do what a modulefile that is only listed may not.
    Hook,
}

/// The site's files for one evaluation.
pub(super) struct Site {
    files: Vec<Arc<SourceFile>>,
    /// The options of Environment Modules, as a dictionary.
    options: Value,
    /// The events and variables are those of a `modulefile` or of a `modulerc`.
    kind: &'static str,
    /// What the hooks are given: the file, its module, and for modulefiles why it is evaluated.
    about: Vec<Value>,
}

impl Site {
    /// `None` where the site has no such files.
    pub(super) fn of(host: &Host) -> Option<Site> {
        let config = host.world.config();
        let files = host.world.languages().siteconfig.get(config);
        if files.is_empty() {
            return None;
        }
        let options = config.options().into_iter();
        let options = options.flat_map(|(name, _, text)| [name, text]);
        let module = host.module;
        let name = module.full_name();
        let is_rc = host.mode == Mode::Rc;
        let mut about = vec![Value::from(host.source.path().as_str()), word(&name)];
        if !is_rc {
            let variants = module.variants.iter();
            let variants = variants.map(|(variant, value)| format!(" {variant}={value}"));
            about.extend([
                word(&(name + &variants.collect::<String>())),
                word(&module.requested),
                Value::from(facts::mode_word(host)),
                Value::bool(module.wanted_by.is_empty()),
            ]);
        }
        Some(Site {
            files: files.to_vec(),
            options: Value::list(options.map(|text| word(&text)).collect()),
            kind: if is_rc { "modulerc" } else { "modulefile" },
            about,
        })
    }

    /// Runs the site's files.
    pub(super) fn start(&self, interp: &mut Interp) -> Result<(), Exit> {
        let commands = &include_bytes!("library/siteconfig.tcl")[..];
        interp.run_file(&SourceFile::new("siteconfig.tcl", commands))?;
        interp.set_var(b"::xmod::conf", self.options.clone())?;
        self.files
            .iter()
            .try_for_each(|file| interp.run_file(file).map(drop))
    }

    /// Evaluates a modulefile with `run` as the site wants it.
    pub(super) fn around(
        self,
        interp: &mut Interp,
        speaker: &Cell<Speaker>,
        run: impl FnOnce(&mut Interp) -> Result<(), Exit>,
    ) -> Result<(), Exit> {
        speaker.set(Speaker::Siteconfig);
        self.start(interp)?;
        let realm = interp.create_realm(MODFILE.as_bytes(), false)?;
        interp.share_embedding_with(realm);
        let furnish = ["::xmod::furnish", MODFILE, self.kind].map(Value::from);
        interp.eval_global(&Value::list(furnish.to_vec()))?;
        speaker.set(Speaker::Hook);
        self.fire(interp, "before", None)?;
        speaker.set(Speaker::File);
        let result = interp.in_realm(realm, run);
        speaker.set(Speaker::Hook);
        self.fire(interp, "after", Some(result.is_err()))?;
        result
    }

    /// Calls the hooks of an event.
    fn fire(&self, interp: &mut Interp, when: &str, status: Option<bool>) -> Result<(), Exit> {
        let event = word(&format!("{when}-{}-eval", self.kind));
        let mut call = vec![Value::from("::xmod::fire"), event];
        call.extend(self.about.iter().cloned());
        call.extend(status.map(Value::bool));
        interp.eval_global(&Value::list(call)).map(drop)
    }
}

fn word(text: &str) -> Value {
    Value::from(text)
}

/// What the site's files gave a value: options of Environment Modules and texts.
pub(super) fn assigned(interp: &mut Interp) -> Result<Vec<(String, String)>, Exit> {
    let words = interp.get_var(b"::xmod::assigned")?;
    let words = words.as_list()?;
    let pairs = words.chunks_exact(2);
    let text = |value: &Value| value.text().into_owned();
    Ok(pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect())
}

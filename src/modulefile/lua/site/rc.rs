//! `lmodrc.lua`: the properties that modules may have, and where the system's caches lie.
//!
//! Source: Lmod user guide "Module Properties", "System Spider Cache" (`scDescriptT`).

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use mlua::chunk::ChunkMode;
use mlua::{Table, Value};

use super::Site;
use crate::config::Config;
use crate::diag::Diagnostic;
use crate::modulefile::host::{Host, Stop};
use crate::modulefile::lua::machine::Machine;
use crate::session::Session;

/// What the rc files of the site and the user say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rc {
    /// The files that were read, in this order.
    pub files: Vec<Utf8PathBuf>,
    /// Properties by name: `state`, `lmod`, `arch`, ...
    pub properties: BTreeMap<String, Property>,
    /// Directories of system caches, each with its time stamp file where it has one.
    pub caches: Vec<(Utf8PathBuf, Option<Utf8PathBuf>)>,
}

/// One property.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Property {
    /// The values it may have.
    pub valid: Vec<String>,
    /// How values, or several joined by `:`, are shown.
    pub shown: BTreeMap<String, Shown>,
}

/// How a property's value is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// In listings: `(E)` or `E`.
    pub short: String,
    /// Where there is more room.
    pub long: String,
    /// The name of a colour.
    pub color: String,
    /// What it means.
    pub doc: String,
    /// Whether the module's name is coloured too.
    pub full_color: bool,
}

impl Property {
    /// Whether a module may have `value`; several are joined by `:`.
    pub fn allows(&self, value: &str) -> bool {
        value.split(':').all(|v| self.valid.iter().any(|k| k == v))
    }
}

impl Rc {
    /// Whether a module may have the property with this value.
    pub fn allows(&self, property: &str, value: &str) -> bool {
        self.properties
            .get(property)
            .is_some_and(|p| p.allows(value))
    }

    /// How a value of a property is shown, or several joined by `:` in the order of the alphabet.
    pub fn shown(&self, property: &str, value: &str) -> Option<&Shown> {
        self.properties.get(property)?.shown.get(value)
    }

    /// What holds without any file.
    pub fn built_in() -> Rc {
        /// Property, value, mark, colour, meaning.
        const SHOWN: &[(&str, &str, &str, &str, &str)] = &[
            ("state", "experimental", "E", "blue", "Experimental"),
            ("state", "testing", "T", "green", "Testing"),
            ("state", "obsolete", "O", "red", "Obsolete"),
            (
                "lmod",
                "sticky",
                "S",
                "red",
                "Module is Sticky, requires --force to unload or purge",
            ),
            ("arch", "mic", "m", "blue", "built for host and native MIC"),
            (
                "arch",
                "offload",
                "o",
                "blue",
                "built for offload to the MIC only",
            ),
            ("arch", "gpu", "g", "red", "built for GPU"),
            (
                "arch",
                "mic:offload",
                "*",
                "blue",
                "built for host, native MIC and offload to the MIC",
            ),
            (
                "arch",
                "gpu:mic",
                "gm",
                "red",
                "built natively for MIC and GPU",
            ),
            (
                "arch",
                "gpu:mic:offload",
                "@",
                "red",
                "built natively for MIC and GPU and offload to the MIC",
            ),
            ("status", "active", "L", "yellow", "Module is loaded"),
        ];
        let mut rc = Rc::default();
        for (name, value, mark, color, doc) in SHOWN {
            let property = rc.properties.entry((*name).to_owned()).or_default();
            if !value.contains(':') {
                property.valid.push((*value).to_owned());
            }
            let shown = Shown {
                short: format!("({mark})"),
                long: format!("({mark})"),
                color: (*color).to_owned(),
                doc: (*doc).to_owned(),
                full_color: false,
            };
            property.shown.insert((*value).to_owned(), shown);
        }
        rc
    }
}

/// The rc files that there are, weakest first.
fn search(session: &Session, config: &Config) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    if !config.lmod_config_dir.is_empty() {
        files.push(Utf8PathBuf::from(&config.lmod_config_dir).join("lmodrc.lua"));
        files.push(Utf8PathBuf::from("/etc/lmodrc.lua"));
    }
    files.extend(session.home().map(|home| home.join(".lmodrc.lua")));
    files.extend(
        config
            .lmod_rc
            .split(':')
            .filter(|f| !f.is_empty())
            .map(Utf8PathBuf::from),
    );
    files.retain(|f| f.is_file());
    files
}

impl Site<'_> {
    /// Reads the rc files; Lua starts only where there is one.
    ///
    /// # Errors
    /// A file that is no Lua or fails.
    pub fn read_rc(&self) -> Result<Rc, Diagnostic> {
        self.with_host(read)
    }
}

/// [`Site::read_rc`] within an evaluation.
///
/// # Errors
/// A file that is no Lua or fails.
pub(in crate::modulefile) fn read(host: &mut Host<'_>) -> Result<Rc, Stop> {
    let mut rc = Rc::built_in();
    for file in search(host.world.session(), host.world.config()) {
        let source = crate::modulefile::read(&file).map_err(Stop::error)?;
        let machine = Machine::of(host)?;
        let (properties, caches) = super::within_file(&machine, &source, host, |lua, _| {
            let globals = lua.create_table()?;
            let outside = lua.create_table()?;
            outside.raw_set("__index", lua.globals())?;
            globals.set_metatable(Some(outside))?;
            lua.load(source.text())
                .set_name(format!("@{file}"))
                .set_mode(ChunkMode::Text)
                .set_environment(globals.clone())
                .exec()?;
            Ok((properties(&globals), caches(&globals)))
        })?;
        rc.properties.extend(properties);
        rc.caches.extend(caches);
        rc.files.push(file);
    }
    Ok(rc)
}

fn properties(globals: &Table) -> BTreeMap<String, Property> {
    let Ok(table) = globals.raw_get::<Table>("propT") else {
        return BTreeMap::new();
    };
    let texts = |table: &Table, key: &str| table.get::<String>(key).unwrap_or_default();
    let mut found = BTreeMap::new();
    for (name, property) in table.pairs::<String, Table>().flatten() {
        let mut read = Property::default();
        if let Ok(valid) = property.get::<Table>("validT") {
            read.valid = valid
                .pairs::<String, Value>()
                .flatten()
                .map(|(v, _)| v)
                .collect();
            read.valid.sort();
        }
        if let Ok(shown) = property.get::<Table>("displayT") {
            for (value, row) in shown.pairs::<String, Table>().flatten() {
                let row = Shown {
                    short: texts(&row, "short"),
                    long: texts(&row, "long"),
                    color: texts(&row, "color"),
                    doc: texts(&row, "doc"),
                    full_color: row.get("full_color").unwrap_or(false),
                };
                read.shown.insert(value, row);
            }
        }
        found.insert(name, read);
    }
    found
}

fn caches(globals: &Table) -> Vec<(Utf8PathBuf, Option<Utf8PathBuf>)> {
    let Ok(table) = globals.raw_get::<Table>("scDescriptT") else {
        return Vec::new();
    };
    let row = |row: Table| {
        let stamp = row.get::<Option<String>>("timestamp").ok().flatten();
        let dir = row.get::<Option<String>>("dir").ok().flatten()?;
        Some((dir.into(), stamp.filter(|s| !s.is_empty()).map(Into::into)))
    };
    table
        .sequence_values::<Table>()
        .flatten()
        .filter_map(row)
        .collect()
}

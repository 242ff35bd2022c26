//! JSON: one object, for programs in languages that have no row of their own.
//!
//! `{"env": {NAME: value}, "unset": [NAME], "alias": {}, "shellFunc": {name: [sh, csh]}, "_mlstatus": true}`, as Lmod has it,
//! plus `"chdir"`, `"stdout"` and `"result"` where there is such a thing. JSON is Unicode: other bytes cannot be said in it.

use bstr::{BString, ByteSlice};
use serde_json::{Map, Value, json};

use super::{Dropped, Emission, Outcome, Shell, admit, describe, outcome};
use crate::env::delta::{Change, Delta};

/// JSON.
#[derive(Debug)]
pub(super) struct Json;

/// Bytes as a string of JSON.
fn text(bytes: &BString) -> Result<Value, &'static str> {
    bytes
        .to_str()
        .map(Value::from)
        .map_err(|_| "JSON holds only UTF-8 text")
}

impl Shell for Json {
    fn emit(&self, delta: &Delta) -> Emission {
        let mut dropped = Vec::new();
        let (mut env, mut unset) = (Map::new(), Vec::new());
        let (mut aliases, mut functions, mut chdir) = (Map::new(), Map::new(), None);
        for change in &delta.changes {
            let mut take = || -> Result<(), &'static str> {
                admit(change, &[])?;
                match change {
                    Change::SetVar { name, value } => {
                        env.insert(name.to_string(), text(value)?);
                    }
                    Change::UnsetVar { name } => unset.push(Value::from(name.as_str())),
                    Change::SetAlias { name, value } => {
                        aliases.insert(name.clone(), text(value)?);
                    }
                    Change::SetFunction { name, sh, csh } => {
                        functions.insert(name.clone(), Value::from(vec![text(sh)?, text(csh)?]));
                    }
                    // `null` tells a reader to take away what an earlier answer gave.
                    Change::UnsetAlias { name } => {
                        aliases.insert(name.clone(), Value::Null);
                    }
                    Change::UnsetFunction { name } => {
                        functions.insert(name.clone(), Value::Null);
                    }
                    Change::Chdir { dir } => chdir = Some(text(dir)?),
                    Change::ExportFunction { .. }
                    | Change::Complete { .. }
                    | Change::Uncomplete { .. }
                    | Change::Execute { .. } => {}
                }
                Ok(())
            };
            if let Err(why) = take() {
                dropped.push(Dropped {
                    what: describe(change),
                    why,
                });
            }
        }
        let end = outcome(delta);
        let mut object = json!({
            "env": env,
            "unset": unset,
            "alias": aliases,
            "shellFunc": functions,
            "_mlstatus": !matches!(end, Outcome::Failure),
        });
        if let Some(dir) = chdir {
            object["chdir"] = dir;
        }
        if !delta.echo.is_empty() {
            object["stdout"] = bstr::join("\n", &delta.echo).to_str_lossy().into();
        }
        if let Outcome::Text(text) = end {
            object["result"] = text.to_str_lossy().into();
        }
        let mut code = object.to_string().into_bytes();
        code.push(b'\n');
        Emission { code, dropped }
    }

    fn echoes(&self) -> bool {
        true
    }
}

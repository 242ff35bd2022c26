//! Commands that speak of other modules.

use super::{Host, Stop};
use crate::modulefile::relation::{Relation, RelationKind};
use crate::modulefile::value::{ArgError, Args, Value};
use crate::name::Spec;

/// The modules that the positional arguments name. One argument may hold several names, separated by blanks, as Lmod
/// allows nowhere but real Tcl files do with unquoted lists.
fn specs(args: &Args, from: usize) -> Result<Vec<Spec>, ArgError> {
    (from..args.len())
        .map(|index| match &args.positional[index] {
            Value::Spec(spec) => Ok((**spec).clone()),
            _ => Spec::plain(&args.string(index)?).map_err(|error| ArgError {
                index: Some(index),
                message: error.to_string(),
            }),
        })
        .collect()
}

fn relate(host: &mut Host, args: &Args, kind: RelationKind) -> Result<Value, Stop> {
    let mut relation = Relation::new(kind, specs(args, 0)?);
    relation.optional = args.flag("optional");
    relation.tags = args.option_list("tag", &[':']);
    relation.modulepaths = args
        .option_list("modulepath", &[':'])
        .into_iter()
        .map(Into::into)
        .collect();
    host.relate(relation)?;
    Ok(Value::Nil)
}

macro_rules! relations {
    ($($(#[doc = $doc:literal])+ $name:ident => $kind:ident;)*) => {
        $(
            $(#[doc = $doc])+
            pub(in crate::modulefile) fn $name(host: &mut Host, args: &Args) -> Result<Value, Stop> {
                relate(host, args, RelationKind::$kind)
            }
        )*
    };
}

relations! {
    /// `load`.
    load => Load;
    /// `try_load`.
    try_load => TryLoad;
    /// `load_any`.
    load_any => LoadAny;
    /// `always_load`.
    always_load => AlwaysLoad;
    /// `unload`.
    unload => Unload;
    /// `depends_on`.
    depends_on => DependsOn;
    /// `depends_on_any`.
    depends_on_any => DependsOnAny;
    /// `prereq` in Lua, `prereq-all` in Tcl.
    prereq_all => PrereqAll;
    /// `prereq_any` in Lua, `prereq` in Tcl.
    prereq_any => PrereqAny;
    /// `conflict`.
    conflict => Conflict;
}

/// `family NAME`.
pub(in crate::modulefile) fn family(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = args.string(0)?;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Stop::Argument(ArgError {
            index: Some(0),
            message: format!("`{name}` is not the name of a family: letters, digits and `_` only"),
        }));
    }
    let mut relation = Relation::new(RelationKind::Family, Vec::new());
    relation.family = name;
    host.relate(relation)?;
    Ok(Value::Nil)
}

/// `isloaded(NAME)`, `is-loaded NAME...`: whether one of them is loaded.
pub(in crate::modulefile) fn is_loaded(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let specs = specs(args, 0)?;
    Ok(Value::Bool(
        specs.iter().any(|spec| host.world.is_loaded(spec)),
    ))
}

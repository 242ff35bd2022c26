//! `Pkg`: the helper for packages in the layout of the Texas Advanced Computing Center, written in Lua.
//!
//! Source: Lmod, what `show` prints for modulefiles that use it.

use std::rc::Rc;

use mlua::{Lua, Value};

use crate::modulefile::lua::bind;
use crate::modulefile::lua::machine::Shared;
use crate::modulefile::lua::site;

/// The names of this file.
pub(super) const NAMES: &[&str] = &["Pkg"];

/// Makes one of [`NAMES`].
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, _: &str) -> mlua::Result<Value> {
    let asker = Rc::clone(shared);
    let site_name = lua.create_function(move |lua, ()| {
        let place = asker.place(lua);
        let name = asker.host(site::site_name)?;
        name.map(|name| name.unwrap_or_else(|| "LMOD".to_owned()))
            .map_err(|stop| bind::raise(&asker, stop, "Pkg", place))
    })?;
    lua.load(include_str!("pkg.lua"))
        .set_name("=Pkg")
        .call(site_name)
}

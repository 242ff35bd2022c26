//! Turns the keys of one block (the top level, or one `[[when]]`) into calls of commands, and makes the calls in order.
//!
//! A block is read as a whole before anything is carried out, so that a mistake in it shows even where its condition does
//! not hold. Order: stage by stage, within a stage as the table of keys says, within a key as the file says.

use bstr::BString;

use super::document::{self, Entry, Node, Text, unknown_key};
use super::keys::{Key, Shape, Stage};
use super::scope::{Scope, without_dots};
use super::spec;
use crate::diag::{Diagnostic, Kind, Span};
use crate::modulefile::Mode;
use crate::modulefile::command::{Command, find_toml};
use crate::modulefile::host::{Host, Stop};
use crate::modulefile::value::{ArgError, Args, Value};

/// One block, ready to be carried out.
#[derive(Debug, Default)]
pub(super) struct Block<'s> {
    calls: Vec<Call<'s>>,
}

/// A call of a command whose arguments have no values yet.
#[derive(Debug)]
struct Call<'s> {
    stage: Stage,
    rank: usize,
    command: &'static Command,
    args: Vec<Arg<'s>>,
    named: Vec<(&'static str, Value)>,
    /// The key that asks for it.
    span: Span,
    /// The only mode in which it is made.
    mode: Option<Mode>,
}

/// An argument.
#[derive(Debug)]
enum Arg<'s> {
    /// As it is.
    Fixed(Value, Span),
    /// A text with references.
    Text(Text<'s>),
    /// A text with references behind a fixed beginning: `Category: {field}`.
    Labelled(String, Text<'s>),
    /// Entries of a path, joined by the delimiter.
    Joined(Vec<Text<'s>>, String),
    /// Directories without `.` and `..`, joined by `:`.
    Directories(Vec<Text<'s>>),
    /// A module.
    Module(Text<'s>),
}

impl Arg<'_> {
    fn span(&self) -> Span {
        match self {
            Arg::Fixed(_, span) => *span,
            Arg::Text(text) | Arg::Module(text) | Arg::Labelled(_, text) => text.span,
            Arg::Joined(texts, _) | Arg::Directories(texts) => texts
                .iter()
                .map(|text| text.span)
                .reduce(Span::to)
                .unwrap_or_default(),
        }
    }

    fn value(&self, host: &Host, scope: &Scope) -> Result<Value, Diagnostic> {
        Ok(match self {
            Arg::Fixed(value, _) => value.clone(),
            Arg::Text(text) => Value::Bytes(scope.expand(host, text)?),
            Arg::Labelled(label, text) => {
                let mut value = BString::from(label.as_str());
                value.extend_from_slice(&scope.expand(host, text)?);
                Value::Bytes(value)
            }
            Arg::Joined(texts, delim) => {
                let values = texts
                    .iter()
                    .map(|text| scope.expand(host, text))
                    .collect::<Result<Vec<_>, _>>()?;
                Value::Bytes(bstr::join(delim, values).into())
            }
            Arg::Directories(texts) => {
                let values = texts
                    .iter()
                    .map(|text| Ok(without_dots(scope.expand(host, text)?)))
                    .collect::<Result<Vec<_>, Diagnostic>>()?;
                Value::Bytes(bstr::join(":", values).into())
            }
            Arg::Module(text) => Value::Spec(Box::new(spec::module(host, scope, text)?)),
        })
    }
}

impl<'s> Block<'s> {
    /// Takes in one key.
    ///
    /// # Errors
    /// The value is not what the key takes.
    pub(super) fn read_key(
        &mut self,
        key: &'static Key,
        entry: &Entry<'s>,
    ) -> Result<(), Diagnostic> {
        let mut reader = Reader {
            block: self,
            key,
            rank: key.rank(),
            span: entry.key_span,
        };
        reader.read(entry)
    }

    /// Whether a call changes `MODULEPATH`.
    pub(super) fn changes_modulepath(&self) -> bool {
        self.calls.iter().any(Call::is_of_modulepath)
    }

    /// Whether a call changes `MODULEPATH` for each user in another way.
    pub(super) fn has_personal_modulepath(&self, scope: &Scope) -> bool {
        let is_personal = |arg: &Arg| match arg {
            Arg::Joined(texts, _) | Arg::Directories(texts) => {
                texts.iter().any(|text| scope.is_personal(text))
            }
            _ => false,
        };
        self.calls
            .iter()
            .any(|call| call.is_of_modulepath() && call.args.iter().any(is_personal))
    }

    /// Makes the calls.
    ///
    /// # Errors
    /// A text has no value, or a command refuses.
    pub(super) fn run(&mut self, host: &mut Host, scope: &Scope) -> Result<(), Stop> {
        self.calls.sort_by_key(|call| (call.rank, call.span.start));
        for stage in self.calls.chunk_by(|a, b| a.stage == b.stage) {
            let stage: Vec<&Call> = stage
                .iter()
                .filter(|call| call.mode.is_none_or(|mode| mode == host.mode))
                .collect();
            // All values of a stage are taken before its first call: no key sees what another one did.
            let args = stage
                .iter()
                .map(|call| call.args(host, scope))
                .collect::<Result<Vec<_>, _>>()
                .map_err(Stop::fatal)?;
            for (call, args) in stage.into_iter().zip(args) {
                call.make(host, args)?;
            }
        }
        Ok(())
    }
}

impl Call<'_> {
    fn is_of_modulepath(&self) -> bool {
        matches!(
            self.args.first(),
            Some(Arg::Fixed(Value::Bytes(var), _)) if var == "MODULEPATH"
        )
    }

    fn args(&self, host: &Host, scope: &Scope) -> Result<Args, Diagnostic> {
        Ok(Args {
            positional: self
                .args
                .iter()
                .map(|arg| arg.value(host, scope))
                .collect::<Result<_, _>>()?,
            named: self.named.clone(),
            table_form: false,
        })
    }

    fn make(&self, host: &mut Host, args: Args) -> Result<(), Stop> {
        let place = document::place(&host.source, self.span);
        match host.call(self.command, args, place) {
            Ok(_) => Ok(()),
            // The command knows which argument it means, this file where that stands.
            Err(Stop::Argument(ArgError { index, message })) => {
                let span = index
                    .and_then(|index| self.args.get(index))
                    .map_or(self.span, Arg::span);
                Err(Stop::fatal(
                    Diagnostic::new(Kind::Modulefile, message)
                        .at(document::place(&host.source, span), ""),
                ))
            }
            Err(stop) => Err(stop),
        }
    }
}

/// Reads the value of one key into a block.
struct Reader<'b, 's> {
    block: &'b mut Block<'s>,
    key: &'static Key,
    rank: usize,
    span: Span,
}

/// Options of a table that stands for a value: those that pass to the command by name.
struct Options {
    named: Vec<(&'static str, Value)>,
}

impl<'s> Reader<'_, 's> {
    fn read(&mut self, entry: &Entry<'s>) -> Result<(), Diagnostic> {
        let value = &entry.value;
        match self.key.shape {
            Shape::Frame => Ok(()),
            Shape::Tags => self.tags(value),
            Shape::Texts | Shape::Names => {
                for text in value.strings()? {
                    self.span = text.span;
                    self.call(vec![Arg::Text(text)]);
                }
                Ok(())
            }
            Shape::Words => {
                let args = value.strings()?.into_iter().map(Arg::Text).collect();
                self.call(args);
                Ok(())
            }
            Shape::Word => {
                let text = value.string()?;
                self.call(vec![Arg::Text(text)]);
                Ok(())
            }
            Shape::Flag => {
                if value.boolean()? {
                    self.call(Vec::new());
                }
                Ok(())
            }
            Shape::Completions => {
                for shell in value.table("a table from shell to commands")? {
                    for command in shell.value.table("a table from command to text")? {
                        self.span = command.key_span;
                        let text = Arg::Text(command.value.string()?);
                        self.call(vec![name_of(&shell), name_of(&command), text]);
                    }
                }
                Ok(())
            }
            Shape::Fact(label) => {
                let key = Arg::Fixed(Value::text(self.key.name), self.span);
                self.fact(label, key, value)
            }
            Shape::Facts => {
                for fact in value.table("a table of facts")? {
                    self.span = fact.key_span;
                    let key = Arg::Fixed(Value::text(fact.key), fact.key_span);
                    self.fact(fact.key, key, &fact.value)?;
                }
                Ok(())
            }
            Shape::Modules => self.modules(value),
            Shape::Choices => self.choices(value),
            Shape::Modulepaths => {
                let paths = value.strings()?;
                let var = Arg::Fixed(Value::text("MODULEPATH"), self.span);
                self.push(
                    row("prepend_path"),
                    vec![var, Arg::Directories(paths)],
                    Vec::new(),
                );
                Ok(())
            }
            Shape::Unset => self.unset(value),
            Shape::Values | Shape::Pushed => {
                for variable in value.table("a table from variable to value")? {
                    self.variable(&variable)?;
                }
                Ok(())
            }
            Shape::Paths => {
                for variable in value.table("a table from variable to entries")? {
                    self.paths(&variable)?;
                }
                Ok(())
            }
            Shape::Named => {
                for named in value.table("a table from name to text")? {
                    self.span = named.key_span;
                    let text = named.value.string()?;
                    self.call(vec![name_of(&named), Arg::Text(text)]);
                }
                Ok(())
            }
            Shape::Functions => {
                for function in value.table("a table from name to the body of a function")? {
                    self.function(&function)?;
                }
                Ok(())
            }
            Shape::Message => self.message(value),
        }
    }

    /// The call of the key's own command.
    fn call(&mut self, args: Vec<Arg<'s>>) {
        self.call_with(args, Vec::new());
    }

    fn call_with(&mut self, args: Vec<Arg<'s>>, named: Vec<(&'static str, Value)>) {
        let command = self
            .key
            .command()
            .expect("a test compares the table of keys with that of commands");
        self.push(command, args, named);
    }

    fn push(
        &mut self,
        command: &'static Command,
        args: Vec<Arg<'s>>,
        named: Vec<(&'static str, Value)>,
    ) {
        self.block.calls.push(Call {
            stage: self.key.stage,
            rank: self.rank,
            command,
            args,
            named,
            span: self.span,
            mode: None,
        });
    }

    /// A fact of the catalog: said as a line of `whatis`, where the peers look for it, and kept under its name.
    fn fact(&mut self, label: &str, key: Arg<'s>, value: &Node<'s>) -> Result<(), Diagnostic> {
        let texts = value.strings()?;
        let label = format!("{label}: ");
        let line = match &texts[..] {
            [only] => Arg::Labelled(label, only.clone()),
            many => {
                let list: Vec<&str> = many.iter().map(|text| &*text.text).collect();
                let text = Text {
                    text: list.join(", ").into(),
                    span: value.span,
                };
                Arg::Labelled(label, text)
            }
        };
        self.push(row("whatis"), vec![line], Vec::new());
        let mut args = vec![key];
        args.extend(texts.into_iter().map(Arg::Text));
        self.push(row("metadata"), args, Vec::new());
        Ok(())
    }

    /// The tree hands tags to whoever asks; Lmod's way of saying `sticky` is a property.
    fn tags(&mut self, value: &Node<'s>) -> Result<(), Diagnostic> {
        for tag in value.strings()? {
            if tag.text == "sticky" {
                let word = |text: &str| Arg::Fixed(Value::text(text), tag.span);
                self.push(
                    row("add_property"),
                    vec![word("lmod"), word("sticky")],
                    Vec::new(),
                );
            }
        }
        Ok(())
    }

    fn modules(&mut self, value: &Node<'s>) -> Result<(), Diagnostic> {
        let items = value.as_array().unwrap_or_else(|| vec![*value]);
        let mut plain = Vec::new();
        for item in items {
            if let Some(text) = item.as_string() {
                plain.push(Arg::Module(text));
                continue;
            }
            self.flush(&mut plain);
            let (modules, options) = self.module_table(&item)?;
            self.call_with(modules, options.named);
        }
        self.flush(&mut plain);
        Ok(())
    }

    fn choices(&mut self, value: &Node<'s>) -> Result<(), Diagnostic> {
        let items = value.as_array().unwrap_or_else(|| vec![*value]);
        let mut plain = Vec::new();
        for item in items {
            if let Some(text) = item.as_string() {
                plain.push(Arg::Module(text));
            } else if item.as_array().is_some() {
                let group = item.strings()?.into_iter().map(Arg::Module).collect();
                self.span = item.span;
                self.call(group);
            } else {
                let (modules, options) = self.module_table(&item)?;
                self.call_with(modules, options.named);
            }
        }
        self.flush(&mut plain);
        Ok(())
    }

    fn flush(&mut self, modules: &mut Vec<Arg<'s>>) {
        if let Some(first) = modules.first() {
            let last = modules.last().map_or(first.span(), Arg::span);
            self.span = first.span().to(last);
            self.call(std::mem::take(modules));
        }
    }

    /// `{ module = "cuda", optional = true }`.
    fn module_table(&mut self, item: &Node<'s>) -> Result<(Vec<Arg<'s>>, Options), Diagnostic> {
        let mut modules = Vec::new();
        let mut options = Options { named: Vec::new() };
        for entry in item.table("a module, or a table")? {
            match entry.key {
                "module" => {
                    modules = entry
                        .value
                        .strings()?
                        .into_iter()
                        .map(Arg::Module)
                        .collect();
                }
                _ => self.option(&entry, &mut options, &["module"])?,
            }
        }
        self.span = item.span;
        if modules.is_empty() {
            return Err(self.missing(item, "module"));
        }
        Ok((modules, options))
    }

    fn missing(&self, item: &Node, key: &str) -> Diagnostic {
        Diagnostic::new(
            Kind::Modulefile,
            format!("`{}` without `{key}`", self.key.name),
        )
        .at(item.place(), format!("this table needs the key `{key}`"))
    }

    /// An option that the command of this key knows; `also` are the keys that the caller reads itself.
    fn option(
        &self,
        entry: &Entry,
        options: &mut Options,
        also: &'static [&'static str],
    ) -> Result<(), Diagnostic> {
        // Every option of the format: the key, the name in the command table, what it carries.
        const OPTIONS: &[(&str, &str)] = &[
            ("if_unset", "if_unset"),
            ("duplicates", "duplicates"),
            ("optional", "optional"),
            ("priority", "priority"),
            ("mode", "mode"),
            ("tags", "tag"),
            ("modulepath", "modulepath"),
        ];
        let known = |name: &str| {
            self.key
                .command()
                .is_some_and(|command| command.options.iter().any(|option| option.name == name))
        };
        let Some((key, name)) = OPTIONS
            .iter()
            .copied()
            .find(|(key, name)| *key == entry.key && known(name))
        else {
            let here = OPTIONS
                .iter()
                .filter(|(_, name)| known(name))
                .map(|(key, _)| *key);
            return Err(unknown_key(
                entry,
                &format!("a table of `{}`", self.key.name),
                &mut here.chain(also.iter().copied()),
            ));
        };
        let value = match key {
            "if_unset" | "duplicates" | "optional" => Value::Bool(entry.value.boolean()?),
            "priority" => Value::Int(entry.value.integer()?),
            "mode" => Value::List(
                entry
                    .value
                    .strings()?
                    .iter()
                    .map(|mode| match &*mode.text {
                        "load" | "unload" => Ok(Value::text(mode.text.as_bytes())),
                        other => Err(Diagnostic::new(
                            Kind::Modulefile,
                            format!("`{other}` is not a mode"),
                        )
                        .at(
                            document::place(entry.value.source, mode.span),
                            "expected `load` or `unload`",
                        )),
                    })
                    .collect::<Result<_, _>>()?,
            ),
            _ => Value::List(
                entry
                    .value
                    .strings()?
                    .iter()
                    .map(|text| Value::text(text.text.as_bytes()))
                    .collect(),
            ),
        };
        options.named.push((name, value));
        Ok(())
    }

    /// `unsetenv`: names, or a table from variable to `true` or what unloading leaves.
    fn unset(&mut self, value: &Node<'s>) -> Result<(), Diagnostic> {
        let Some(variables) = value.as_table() else {
            for name in value.strings()? {
                self.span = name.span;
                let name = Arg::Fixed(Value::text(name.text.as_bytes()), name.span);
                self.call(vec![name]);
            }
            return Ok(());
        };
        for variable in variables {
            self.span = variable.key_span;
            let mut args = vec![name_of(&variable)];
            let mut options = Options { named: Vec::new() };
            if variable.value.as_bool() != Some(true) {
                for entry in variable.value.table("`true` or a table")? {
                    match entry.key {
                        "on_unload" => args.push(Arg::Text(entry.value.string()?)),
                        _ => self.option(&entry, &mut options, &["on_unload"])?,
                    }
                }
            }
            self.call_with(args, options.named);
        }
        Ok(())
    }

    /// `setenv`, `pushenv`: a scalar, or a table with `value`.
    fn variable(&mut self, variable: &Entry<'s>) -> Result<(), Diagnostic> {
        const WANTED: &str = "a string, a number, a truth value or a table";
        self.span = variable.key_span;
        let mut options = Options { named: Vec::new() };
        let mut value = variable.value;
        if let Some(table) = value.as_table() {
            let mut given = None;
            for entry in table {
                match entry.key {
                    "value" => given = Some(entry.value),
                    _ => self.option(&entry, &mut options, &["value"])?,
                }
            }
            value = given.ok_or_else(|| self.missing(&variable.value, "value"))?;
        }
        let arg = match value.as_bool() {
            Some(false) if self.key.shape == Shape::Pushed => {
                Arg::Fixed(Value::Bool(false), value.span)
            }
            _ => Arg::Text(value.as_scalar().ok_or_else(|| value.expected(WANTED))?),
        };
        self.call_with(vec![name_of(variable), arg], options.named);
        Ok(())
    }

    /// `prepend_path` and its kin: entries as strings, or tables with options; an array may mix both.
    fn paths(&mut self, variable: &Entry<'s>) -> Result<(), Diagnostic> {
        self.span = variable.key_span;
        let value = variable.value;
        let mut groups: Vec<(Vec<Text<'s>>, String, Options)> = Vec::new();
        let mut plain = true;
        for item in value.as_array().unwrap_or_else(|| vec![value]) {
            if let Some(text) = item.as_string() {
                match groups.last_mut() {
                    Some((texts, ..)) if plain => texts.push(text),
                    _ => groups.push((vec![text], ":".to_owned(), Options { named: vec![] })),
                }
                plain = true;
            } else {
                groups.push(self.path_table(&item)?);
                plain = false;
            }
        }
        // What is put in front last stands first: so the first of the file goes last.
        if self.key.name == "prepend_path" {
            groups.reverse();
        }
        for (texts, delim, mut options) in groups {
            if delim != ":" {
                options.named.push(("delim", Value::text(delim.as_str())));
            }
            self.call_with(
                vec![name_of(variable), Arg::Joined(texts, delim)],
                options.named,
            );
        }
        Ok(())
    }

    fn path_table(&self, item: &Node<'s>) -> Result<(Vec<Text<'s>>, String, Options), Diagnostic> {
        let mut texts = Vec::new();
        let mut delim = ":".to_owned();
        let mut options = Options { named: Vec::new() };
        for entry in item.table("a string or a table")? {
            match entry.key {
                "path" => texts = entry.value.strings()?,
                "delim" => {
                    let text = entry.value.string()?;
                    if text.text.is_empty() {
                        return Err(Diagnostic::new(Kind::Modulefile, "the delimiter is empty")
                            .at(entry.value.place(), "one character or more"));
                    }
                    delim = text.text.into_owned();
                }
                _ => self.option(&entry, &mut options, &["path", "delim"])?,
            }
        }
        if texts.is_empty() {
            return Err(self.missing(item, "path"));
        }
        Ok((texts, delim, options))
    }

    fn function(&mut self, function: &Entry<'s>) -> Result<(), Diagnostic> {
        self.span = function.key_span;
        let mut args = vec![name_of(function)];
        if let Some(body) = function.value.as_string() {
            args.push(Arg::Text(body));
        } else {
            let mut sh = None;
            let mut csh = None;
            for entry in function
                .value
                .table("a string, or a table with `sh` and `csh`")?
            {
                match entry.key {
                    "sh" => sh = Some(entry.value.string()?),
                    "csh" => csh = Some(entry.value.string()?),
                    _ => {
                        return Err(unknown_key(
                            &entry,
                            "a shell function",
                            &mut ["sh", "csh"].into_iter(),
                        ));
                    }
                }
            }
            let sh = sh.ok_or_else(|| self.missing(&function.value, "sh"))?;
            args.push(Arg::Text(sh));
            args.extend(csh.map(Arg::Text));
        }
        self.call(args);
        Ok(())
    }

    /// Text for people: only when it happens, not when the file is listed or shown.
    fn message(&mut self, value: &Node<'s>) -> Result<(), Diagnostic> {
        if let Some(text) = value.as_string() {
            self.say(text, Mode::Load);
            return Ok(());
        }
        if self.key.name == "error" {
            return Err(value.expected("a string"));
        }
        for entry in value.table("a string, or a table with `load` and `unload`")? {
            let mode = match entry.key {
                "load" => Mode::Load,
                "unload" => Mode::Unload,
                _ => {
                    return Err(unknown_key(
                        &entry,
                        "a message",
                        &mut ["load", "unload"].into_iter(),
                    ));
                }
            };
            let text = entry.value.string()?;
            self.say(text, mode);
        }
        Ok(())
    }

    fn say(&mut self, text: Text<'s>, mode: Mode) {
        self.call(vec![Arg::Text(text)]);
        if let Some(call) = self.block.calls.last_mut() {
            call.mode = Some(mode);
        }
    }
}

fn name_of<'s>(entry: &Entry<'s>) -> Arg<'s> {
    Arg::Fixed(Value::text(entry.key), entry.key_span)
}

/// The row of a command that keys use besides their own.
fn row(name: &str) -> &'static Command {
    find_toml(name).expect("a test looks for each of these rows")
}

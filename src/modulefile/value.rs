//! Values that pass between a language and a command, and the arguments of a call.

use std::borrow::Cow;

use bstr::{BStr, BString, ByteSlice};
use indexmap::IndexMap;

use crate::env::VarName;
use crate::name::Spec;

/// A value in any of the three languages.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: Lua `nil`.
    Nil,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Text: any bytes.
    Bytes(BString),
    /// A list.
    List(Vec<Value>),
    /// Named values, in order.
    Map(IndexMap<String, Value>),
    /// A module with a range of versions: `between("gcc", "12", "13")`.
    Spec(Box<Spec>),
}

impl Value {
    /// A value of text.
    pub fn text(text: impl Into<Vec<u8>>) -> Value {
        Value::Bytes(BString::from(text.into()))
    }

    /// The value as the text that the peers make of it: `true`, `5`, `1.5`; `None` for what has no such text.
    pub fn to_bytes(&self) -> Option<Cow<'_, BStr>> {
        match self {
            Value::Bytes(b) => Some(Cow::Borrowed(b.as_bstr())),
            Value::Bool(b) => Some(Cow::Owned(BString::from(if *b { "true" } else { "false" }))),
            Value::Int(i) => Some(Cow::Owned(BString::from(i.to_string()))),
            Value::Float(f) => Some(Cow::Owned(BString::from(f.to_string()))),
            Value::Spec(spec) => Some(Cow::Owned(BString::from(spec.text.as_str()))),
            Value::Nil | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The word for the type, as Lua names it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Bool(_) => "boolean",
            Value::Int(_) | Value::Float(_) => "number",
            Value::Bytes(_) => "string",
            Value::List(_) | Value::Map(_) | Value::Spec(_) => "table",
        }
    }
}

/// What is wrong with one argument; the binding knows where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgError {
    /// Which positional argument, from 0; `None` for the call as a whole.
    pub index: Option<usize>,
    /// What is wrong, for people.
    pub message: String,
}

/// The arguments of one call: positions and named options.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Args {
    /// The arguments without options.
    pub positional: Vec<Value>,
    /// Options by the name in the command's row: `delim`, `priority`, `mode`.
    pub named: Vec<(&'static str, Value)>,
    /// The call was written with a table: Lua `prepend_path{...}`.
    pub table_form: bool,
}

impl Args {
    /// Arguments without options.
    pub fn new(positional: Vec<Value>) -> Args {
        Args {
            positional,
            ..Args::default()
        }
    }

    /// How many positional arguments there are.
    pub fn len(&self) -> usize {
        self.positional.len()
    }

    /// Whether there is no positional argument.
    pub fn is_empty(&self) -> bool {
        self.positional.is_empty()
    }

    /// The bytes of argument `index`.
    ///
    /// # Errors
    /// There is no such argument, or it is no text.
    pub fn bytes(&self, index: usize) -> Result<BString, ArgError> {
        self.borrowed(index).map(Cow::into_owned)
    }

    fn borrowed(&self, index: usize) -> Result<Cow<'_, BStr>, ArgError> {
        let value = self.positional.get(index).unwrap_or(&Value::Nil);
        value.to_bytes().ok_or_else(|| ArgError {
            index: Some(index),
            message: format!("expected a string, got {}", value.type_name()),
        })
    }

    /// Argument `index` as UTF-8 text.
    ///
    /// # Errors
    /// There is no such argument, it is no text, or not UTF-8.
    pub fn string(&self, index: usize) -> Result<String, ArgError> {
        self.text(index).map(Cow::into_owned)
    }

    /// The same, borrowed where it is text already.
    ///
    /// # Errors
    /// Those of [`Args::string`].
    pub fn text(&self, index: usize) -> Result<Cow<'_, str>, ArgError> {
        let text = match self.borrowed(index)? {
            Cow::Borrowed(bytes) => bytes.to_str().ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes.into()).ok().map(Cow::Owned),
        };
        text.ok_or_else(|| ArgError {
            index: Some(index),
            message: "not valid UTF-8".to_owned(),
        })
    }

    /// Argument `index` as the name of a variable.
    ///
    /// # Errors
    /// It is no name that every shell can hold.
    pub fn var(&self, index: usize) -> Result<VarName, ArgError> {
        let name = self.borrowed(index)?;
        VarName::new(name.as_bytes()).ok_or_else(|| ArgError {
            index: Some(index),
            message: format!(
                "`{name}` is not a variable name: letters, digits and `_` only, no digit first"
            ),
        })
    }

    /// Arguments from `index` on as UTF-8 texts.
    ///
    /// # Errors
    /// One of them is no text.
    pub fn strings(&self, index: usize) -> Result<Vec<String>, ArgError> {
        (index..self.len()).map(|i| self.string(i)).collect()
    }

    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&Value> {
        self.named
            .iter()
            .rev()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v)
    }

    /// The value of an option as bytes.
    pub fn option_bytes(&self, name: &str) -> Option<BString> {
        self.option(name)
            .and_then(Value::to_bytes)
            .map(Cow::into_owned)
    }

    /// Whether a flag is given and not false.
    pub fn flag(&self, name: &str) -> bool {
        !matches!(
            self.option(name),
            None | Some(Value::Nil | Value::Bool(false))
        )
    }

    /// An option that holds one text or several: a list, or text split at `separators`.
    pub fn option_list(&self, name: &str, separators: &[char]) -> Vec<String> {
        match self.option(name) {
            Some(Value::List(items)) => items
                .iter()
                .filter_map(Value::to_bytes)
                .map(|b| b.to_str_lossy().into_owned())
                .collect(),
            Some(value) => value.to_bytes().map_or(Vec::new(), |b| {
                b.to_str_lossy()
                    .split(separators)
                    .filter(|s| !s.is_empty())
                    .map(str::to_owned)
                    .collect()
            }),
            None => Vec::new(),
        }
    }
}

//! Values: immutable byte strings with a cached second form.
//!
//! Every value is a string; reading it as a list, a dictionary, a number, a script or an expression is remembered beside
//! the string and never changes it. A value that was computed gets its string when somebody asks for it. Text is bytes:
//! nothing here refuses invalid UTF-8. Source: Tcl 8.6, `Tcl(n)` and `list(n)`.

use std::borrow::{Borrow, Cow};
use std::cell::{Cell, OnceCell, RefCell};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use indexmap::IndexMap;
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use rustc_hash::FxBuildHasher;

use super::expr::Expr;
use super::list;
use super::number::{self, Number};
use super::parse::{Origin, Script};

/// A Tcl value; cloning shares it.
#[derive(Clone)]
pub struct Value(Rc<Inner>);

struct Inner {
    text: OnceCell<Vec<u8>>,
    form: RefCell<Form>,
    ascii: Cell<Option<bool>>,
    /// Where a variable of this name was found last time: only a hint, see [`Value::slot`].
    slot: Cell<u32>,
    /// Rough size of the text of a container before it is made.
    weight: Cell<usize>,
    origin: Option<Origin>,
}

/// The second form: what the text was last read as, or what the value was made from.
#[derive(Clone)]
enum Form {
    None,
    Int(i64),
    Big(Rc<BigInt>),
    Double(f64),
    List(Rc<Vec<Value>>),
    Dict(Rc<Dict>),
    Script(Rc<Script>),
    Expr(Rc<Expr>),
}

/// A dictionary: insertion order, keys compared as bytes.
pub type Dict = IndexMap<Key, Value, FxBuildHasher>;

/// A value as the key of a dictionary: equal when the bytes are equal.
#[derive(Clone)]
pub struct Key(pub Value);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.0.bytes() == other.0.bytes()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.bytes().hash(state);
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// Lists inside lists deeper than this get their text at once, so that asking for it later needs little stack.
const PURE_DEPTH: u32 = 64;

/// Values from this size on are counted, see [`large_bytes`].
const LARGE: usize = 1 << 16;

thread_local! {
    static LARGE_BYTES: Cell<usize> = const { Cell::new(0) };
}

fn count_large(bytes: usize) {
    if bytes >= LARGE {
        LARGE_BYTES.set(LARGE_BYTES.get().saturating_add(bytes));
    }
}

/// Bytes in large values that were made on this thread since [`forget_large_bytes`]: a reason to look at the memory.
pub(super) fn large_bytes() -> usize {
    LARGE_BYTES.get()
}

/// Begins to count anew.
pub(super) fn forget_large_bytes() {
    LARGE_BYTES.set(0);
}

thread_local! {
    static EMPTY: Value = Value::with(OnceCell::from(Vec::new()), Form::None);
    static SMALL: Vec<Value> = (-1..256).map(|n| Value::with(OnceCell::new(), Form::Int(n))).collect();
}

impl Value {
    fn with(text: OnceCell<Vec<u8>>, form: Form) -> Value {
        Value(Rc::new(Inner {
            text,
            form: RefCell::new(form),
            ascii: Cell::new(None),
            slot: Cell::new(0),
            weight: Cell::new(8),
            origin: None,
        }))
    }

    /// The empty string.
    pub fn empty() -> Value {
        EMPTY.with(Value::clone)
    }

    /// A value with this text.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Value {
        let text = bytes.into();
        count_large(text.len());
        Value::with(OnceCell::from(text), Form::None)
    }

    /// A literal of a script that remembers where in the file it stands, for positions inside bodies.
    pub(super) fn literal(bytes: Vec<u8>, origin: Origin) -> Value {
        Value(Rc::new(Inner {
            text: OnceCell::from(bytes),
            form: RefCell::new(Form::None),
            ascii: Cell::new(None),
            slot: Cell::new(0),
            weight: Cell::new(8),
            origin: Some(origin),
        }))
    }

    /// An integer in decimal.
    pub fn int(n: i64) -> Value {
        if (-1..256).contains(&n) {
            return SMALL.with(|small| small[(n + 1) as usize].clone());
        }
        Value::with(OnceCell::new(), Form::Int(n))
    }

    /// A floating-point number in Tcl's shortest exact form.
    pub fn double(x: f64) -> Value {
        Value::with(OnceCell::new(), Form::Double(x))
    }

    /// A number of any kind.
    pub(crate) fn number(n: Number) -> Value {
        match n {
            Number::Int(n) => Value::int(n),
            Number::Double(x) => Value::double(x),
            Number::Big(n) => match n.to_i64() {
                Some(n) => Value::int(n),
                None => Value::with(OnceCell::new(), Form::Big(Rc::new(n))),
            },
        }
    }

    /// `1` or `0`.
    pub fn bool(truth: bool) -> Value {
        Value::int(i64::from(truth))
    }

    /// A list of these elements.
    pub fn list(elements: Vec<Value>) -> Value {
        if elements.is_empty() {
            return Value::empty();
        }
        count_large(elements.len() * size_of::<Value>());
        for element in &elements {
            element.bound_depth();
        }
        let list = Value::with(OnceCell::new(), Form::List(Rc::new(Vec::new())));
        list.grown(&elements);
        *list.0.form.borrow_mut() = Form::List(Rc::new(elements));
        list
    }

    /// A dictionary.
    pub fn dict(dict: Dict) -> Value {
        if dict.is_empty() {
            return Value::empty();
        }
        for (_, value) in &dict {
            value.bound_depth();
        }
        Value::with(OnceCell::new(), Form::Dict(Rc::new(dict)))
    }

    /// Whether it is a list or a dictionary that has no text yet.
    fn is_pure_container(&self) -> bool {
        self.0.text.get().is_none()
            && matches!(&*self.0.form.borrow(), Form::List(_) | Form::Dict(_))
    }

    /// Gives the innermost containers of a deep chain their text; see [`PURE_DEPTH`].
    fn bound_depth(&self) {
        if !self.is_pure_container() {
            return;
        }
        // Following one element only is enough to catch the chains that loops build; a full look at each construction
        // would cost as much as the text.
        let mut depth = 0;
        let mut probe = self.clone();
        while probe.0.text.get().is_none() {
            let next = match &*probe.0.form.borrow() {
                Form::List(items) => deepest(items.iter()),
                Form::Dict(dict) => deepest(dict.values()),
                _ => None,
            };
            depth += 1;
            match next {
                Some(next) if depth <= PURE_DEPTH => probe = next,
                Some(_) => {
                    self.bytes();
                    return;
                }
                None => return,
            }
        }
    }

    /// The text.
    pub fn bytes(&self) -> &[u8] {
        self.0.text.get_or_init(|| match &*self.0.form.borrow() {
            Form::Int(n) => number::Number::Int(*n).to_text().into_bytes(),
            Form::Big(n) => n.to_string().into_bytes(),
            Form::Double(x) => number::format_double(*x).into_bytes(),
            Form::List(items) => list::join_elements(items.iter().map(Value::bytes)),
            Form::Dict(dict) => {
                list::join_elements(dict.iter().flat_map(|(k, v)| [k.0.bytes(), v.bytes()]))
            }
            Form::None | Form::Script(_) | Form::Expr(_) => Vec::new(),
        })
    }

    /// The text for messages: invalid UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }

    /// Whether every byte is ASCII, so that characters are bytes.
    pub fn is_ascii(&self) -> bool {
        self.0.ascii.get().unwrap_or_else(|| {
            let ascii = self.bytes().is_ascii();
            self.0.ascii.set(Some(ascii));
            ascii
        })
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Where this literal stands in a file, if it is one.
    pub(super) fn origin(&self) -> Option<&Origin> {
        self.0.origin.as_ref()
    }

    /// Whether the value was made as a list and nobody has asked for its text: such a value may be evaluated as one
    /// command without parsing.
    pub(super) fn is_pure_list(&self) -> bool {
        self.0.text.get().is_none() && matches!(&*self.0.form.borrow(), Form::List(_))
    }

    /// The elements when the value is known to be a list already.
    pub(super) fn list_form(&self) -> Option<Rc<Vec<Value>>> {
        match &*self.0.form.borrow() {
            Form::List(items) => Some(Rc::clone(items)),
            _ => None,
        }
    }

    /// The elements of the value read as a list.
    pub fn as_list(&self) -> Result<Rc<Vec<Value>>, list::ListError> {
        match &*self.0.form.borrow() {
            Form::List(items) => return Ok(Rc::clone(items)),
            Form::Dict(dict) if self.0.text.get().is_none() => {
                return Ok(Rc::new(
                    dict.iter()
                        .flat_map(|(k, v)| [k.0.clone(), v.clone()])
                        .collect(),
                ));
            }
            _ => {}
        }
        let items = Rc::new(list::split(self.bytes())?);
        *self.0.form.borrow_mut() = Form::List(Rc::clone(&items));
        Ok(items)
    }

    /// The same for a literal whose elements are scripts: they remember where they stand.
    pub(super) fn as_list_of_literals(&self) -> Result<Rc<Vec<Value>>, list::ListError> {
        let Some(origin) = self.origin() else {
            return self.as_list();
        };
        if let Some(items) = self.list_form() {
            return Ok(items);
        }
        let text = self.bytes();
        let mut items = Vec::new();
        let mut rest = text;
        while let Some((element, after)) = list::next_element(rest)? {
            items.push(match element {
                list::Element::Literal(bytes) => {
                    let at = bytes.as_ptr() as usize - text.as_ptr() as usize;
                    Value::literal(bytes.to_vec(), origin.inner(at as u32))
                }
                list::Element::Collapsed(bytes) => Value::new(bytes),
            });
            rest = after;
        }
        let items = Rc::new(items);
        *self.0.form.borrow_mut() = Form::List(Rc::clone(&items));
        Ok(items)
    }

    /// The value read as a dictionary.
    pub fn as_dict(&self) -> Result<Rc<Dict>, list::ListError> {
        if let Form::Dict(dict) = &*self.0.form.borrow() {
            return Ok(Rc::clone(dict));
        }
        let items = self.as_list().map_err(list::ListError::for_dict)?;
        if !items.len().is_multiple_of(2) {
            return Err(list::ListError::MissingValue);
        }
        let mut dict = Dict::default();
        dict.reserve(items.len() / 2);
        for pair in items.chunks_exact(2) {
            dict.insert(Key(pair[0].clone()), pair[1].clone());
        }
        let dict = Rc::new(dict);
        // Without text the list is the string: duplicate keys would be lost with it.
        self.bytes();
        *self.0.form.borrow_mut() = Form::Dict(Rc::clone(&dict));
        Ok(dict)
    }

    /// The value read as a number.
    pub(crate) fn as_number(&self) -> Option<Number> {
        match &*self.0.form.borrow() {
            Form::Int(n) => return Some(Number::Int(*n)),
            Form::Double(x) => return Some(Number::Double(*x)),
            Form::Big(n) => return Some(Number::Big((**n).clone())),
            Form::List(items) if items.len() != 1 => return None,
            _ => {}
        }
        let number = number::parse_number(self.bytes())?;
        let form = match &number {
            Number::Int(n) => Form::Int(*n),
            Number::Double(x) => Form::Double(*x),
            Number::Big(n) => Form::Big(Rc::new(n.clone())),
        };
        *self.0.form.borrow_mut() = form;
        Some(number)
    }

    /// The integer when the value is known to be a small one already.
    pub(super) fn int_form(&self) -> Option<i64> {
        match &*self.0.form.borrow() {
            Form::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The value read as an integer of 64 bits.
    pub fn as_int(&self) -> Option<i64> {
        match self.as_number()? {
            Number::Int(n) => Some(n),
            _ => None,
        }
    }

    /// The value read as a truth value: a number, or a word such as `yes`, `off`, `t`.
    pub fn as_bool(&self) -> Option<bool> {
        match self.as_number() {
            Some(Number::Int(n)) => Some(n != 0),
            Some(Number::Double(x)) => (!x.is_nan()).then_some(x != 0.0),
            Some(Number::Big(_)) => Some(true),
            None => parse_bool(self.bytes()),
        }
    }

    /// The place of a variable of this name in the table where it was looked up last: true in most calls of a proc,
    /// because its variables come in the same order each time. To be verified before it is believed.
    pub(super) fn slot(&self) -> usize {
        self.0.slot.get() as usize
    }

    /// Remembers the place for the next time.
    pub(super) fn set_slot(&self, at: usize) {
        self.0.slot.set(at as u32);
    }

    /// The script form kept with the value.
    pub(super) fn script_form(&self) -> Option<Rc<Script>> {
        match &*self.0.form.borrow() {
            Form::Script(script) => Some(Rc::clone(script)),
            _ => None,
        }
    }

    /// Keeps the parsed script with the value.
    pub(super) fn keep_script(&self, script: &Rc<Script>) {
        self.bytes();
        *self.0.form.borrow_mut() = Form::Script(Rc::clone(script));
    }

    /// The expression form kept with the value.
    pub(super) fn expr_form(&self) -> Option<Rc<Expr>> {
        match &*self.0.form.borrow() {
            Form::Expr(expr) => Some(Rc::clone(expr)),
            _ => None,
        }
    }

    /// Keeps the compiled expression with the value.
    pub(super) fn keep_expr(&self, expr: &Rc<Expr>) {
        self.bytes();
        *self.0.form.borrow_mut() = Form::Expr(Rc::clone(expr));
    }

    /// Adds bytes at the end; in place when nobody else holds the value.
    pub(super) fn push_bytes(&mut self, more: &[u8]) {
        self.bytes();
        if let Some(inner) = Rc::get_mut(&mut self.0)
            && let Some(text) = inner.text.get_mut()
        {
            text.extend_from_slice(more);
            *inner.form.get_mut() = Form::None;
            inner.ascii.set(None);
            inner.origin = None;
            return;
        }
        let old = self.bytes();
        let mut text = Vec::with_capacity((old.len() + more.len()) * 2);
        text.extend_from_slice(old);
        text.extend_from_slice(more);
        *self = Value::new(text);
    }

    /// Replaces the value by an integer; in place when nobody else holds it.
    pub(super) fn set_int(&mut self, n: i64) {
        match Rc::get_mut(&mut self.0) {
            Some(inner) => {
                if inner.text.take().is_some() {
                    inner.origin = None;
                    inner.ascii.set(None);
                }
                match inner.form.get_mut() {
                    Form::Int(old) => *old = n,
                    other => *other = Form::Int(n),
                }
            }
            None => *self = Value::int(n),
        }
    }

    /// The elements for changing them in place; they are copied only when somebody else holds the value.
    pub(super) fn list_mut(&mut self) -> Result<&mut Vec<Value>, list::ListError> {
        let items = self.as_list()?;
        let weight = self.weight();
        if Rc::get_mut(&mut self.0).is_none() {
            *self = Value::with(OnceCell::new(), Form::List(items));
        } else {
            *self.0.form.borrow_mut() = Form::List(items);
        }
        self.0.weight.set(weight);
        let inner = Rc::get_mut(&mut self.0).expect("just made unique");
        inner.text.take();
        inner.ascii.set(None);
        inner.origin = None;
        match inner.form.get_mut() {
            Form::List(items) => Ok(Rc::make_mut(items)),
            _ => unreachable!("the form was set to a list above"),
        }
    }

    /// The dictionary for changing it in place; it is copied only when somebody else holds the value.
    pub(super) fn dict_mut(&mut self) -> Result<&mut Dict, list::ListError> {
        let dict = self.as_dict()?;
        let weight = self.weight();
        if Rc::get_mut(&mut self.0).is_none() {
            *self = Value::with(OnceCell::new(), Form::Dict(dict));
        } else {
            *self.0.form.borrow_mut() = Form::Dict(dict);
        }
        self.0.weight.set(weight);
        let inner = Rc::get_mut(&mut self.0).expect("just made unique");
        inner.text.take();
        inner.ascii.set(None);
        inner.origin = None;
        match inner.form.get_mut() {
            Form::Dict(dict) => Ok(Rc::make_mut(dict)),
            _ => unreachable!("the form was set to a dictionary above"),
        }
    }

    /// Whether both are the same object: a cheap test before comparing.
    pub(super) fn same(&self, other: &Value) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Rough size of the text, known before it is made; for limits.
    pub(super) fn weight(&self) -> usize {
        self.0.text.get().map_or(self.0.weight.get(), Vec::len)
    }

    /// Remembers that a list has got more elements.
    pub(super) fn grown(&self, more: &[Value]) {
        let added = more.iter().map(|value| value.weight().saturating_add(1));
        self.0
            .weight
            .set(added.fold(self.0.weight.get(), usize::saturating_add));
    }
}

/// The first container without text among these.
fn deepest<'a>(mut items: impl Iterator<Item = &'a Value>) -> Option<Value> {
    items.find(|value| value.is_pure_container()).cloned()
}

thread_local! {
    /// Containers on their way out: freeing a list of lists of lists must not recurse.
    static DYING: RefCell<Option<Vec<Form>>> = const { RefCell::new(None) };
}

impl Drop for Inner {
    fn drop(&mut self) {
        let unique = match self.form.get_mut() {
            Form::List(items) => Rc::strong_count(items) == 1,
            Form::Dict(dict) => Rc::strong_count(dict) == 1,
            _ => false,
        };
        if !unique {
            return;
        }
        let form = std::mem::replace(self.form.get_mut(), Form::None);
        // The first container to die empties the queue; those inside it only queue up.
        let outermost = DYING.try_with(|dying| {
            let mut dying = dying.borrow_mut();
            match dying.as_mut() {
                Some(queue) => {
                    queue.push(form);
                    false
                }
                None => {
                    *dying = Some(vec![form]);
                    true
                }
            }
        });
        if outermost != Ok(true) {
            return;
        }
        loop {
            let next = DYING.with(|dying| {
                let mut dying = dying.borrow_mut();
                let next = dying.as_mut().and_then(Vec::pop);
                if next.is_none() {
                    *dying = None;
                }
                next
            });
            if next.is_none() {
                return;
            }
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.same(other) || self.bytes() == other.bytes()
    }
}

impl Eq for Value {}

impl Default for Value {
    fn default() -> Value {
        Value::empty()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::new(text.as_bytes())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::new(text.into_bytes())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Value {
        Value::new(bytes)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::new(bytes)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::int(n)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::bool(truth)
    }
}

/// Reads a boolean word: `true false yes no on off`, any case, unique abbreviations.
pub(super) fn parse_bool(bytes: &[u8]) -> Option<bool> {
    const WORDS: [(&[u8], usize, bool); 6] = [
        (b"true", 1, true),
        (b"false", 1, false),
        (b"yes", 1, true),
        (b"no", 1, false),
        (b"on", 2, true),
        (b"off", 2, false),
    ];
    WORDS
        .iter()
        .find(|(word, least, _)| {
            (*least..=word.len()).contains(&bytes.len())
                && word[..bytes.len()].eq_ignore_ascii_case(bytes)
        })
        .map(|&(_, _, truth)| truth)
}

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

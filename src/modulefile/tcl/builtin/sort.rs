//! `lsort` and `lsearch`.
//!
//! Source: Tcl 8.6, `lsort(n)`, `lsearch(n)`.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::Interp;
use crate::modulefile::tcl::number::Number;
use crate::modulefile::tcl::operator::compare_numbers;
use crate::modulefile::tcl::pattern::{Case, compare_dictionary, compare_nocase, string_match};
use crate::modulefile::tcl::regexp::Flags;
use crate::modulefile::tcl::value::Value;

use super::{choice, expect_int, index};

pub(super) static TABLE: &[Def] = &[
    Def::new("lsearch", LSEARCH, 2, ANY, lsearch),
    Def::new("lsort", LSORT, 1, ANY, lsort),
];

const LSORT: &str = "?-option value ...? list";
const LSEARCH: &str = "?-option value ...? list pattern";

/// How two elements compare.
#[derive(Clone, PartialEq)]
enum Order {
    Ascii,
    Nocase,
    Dictionary,
    Integer,
    Real,
    Command(Value),
}

/// An element prepared for comparing.
enum SortKey {
    Text(Value),
    Number(Number),
}

impl Order {
    fn key(&self, value: &Value) -> Outcome<SortKey> {
        match self {
            Order::Integer => match value.as_number() {
                Some(Number::Double(_)) | None => Err(super::not_a_number("integer", value)),
                Some(Number::Big(_)) => {
                    let message = "integer value too large to represent";
                    Err(Exit::coded(message, &["ARITH", "IOVERFLOW", message]))
                }
                Some(number) => Ok(SortKey::Number(number)),
            },
            Order::Real => match value.as_number() {
                Some(Number::Double(x)) if x.is_nan() => Err(Exit::coded(
                    "floating point value is Not a Number",
                    &["TCL", "VALUE", "DOUBLE", "NAN"],
                )),
                Some(number) => Ok(SortKey::Number(Number::Double(number.to_double()))),
                None => Err(super::not_a_number("floating-point number", value)),
            },
            _ => Ok(SortKey::Text(value.clone())),
        }
    }

    fn compare(&self, interp: &mut Interp<'_>, a: &SortKey, b: &SortKey) -> Outcome<Ordering> {
        let (a, b) = match (a, b) {
            (SortKey::Number(a), SortKey::Number(b)) => {
                return Ok(compare_numbers(a, b).unwrap_or(Ordering::Equal));
            }
            (SortKey::Text(a), SortKey::Text(b)) => (a, b),
            _ => return Ok(Ordering::Equal),
        };
        Ok(match self {
            Order::Nocase => compare_nocase(a.bytes(), b.bytes()),
            Order::Dictionary => compare_dictionary(a.bytes(), b.bytes()),
            Order::Command(command) => {
                let mut words = command.as_list()?.to_vec();
                words.push(a.clone());
                words.push(b.clone());
                let answer = interp
                    .eval_list(&Value::list(words))
                    .map_err(|exit| match exit {
                        Exit::Error(mut error) => {
                            error.add_info("\n    (-compare command)");
                            Exit::Error(error)
                        }
                        other => other,
                    })?;
                match answer.as_int() {
                    Some(n) => n.cmp(&0),
                    None => {
                        return Err(Exit::coded(
                            "-compare command returned non-integer result",
                            &["TCL", "OPERATION", "LSORT", "COMPARISONFAILED"],
                        ));
                    }
                }
            }
            _ => a.bytes().cmp(b.bytes()),
        })
    }
}

/// An index that selects an element of some list at least.
fn selecting(word: &Value) -> Outcome<super::Position> {
    let position = index(word)?;
    let selects = match position {
        super::Position::Start(n) => n >= 0,
        super::Position::End(n) => n <= 0,
    };
    if !selects {
        let message = bytes!(
            "index \"",
            word,
            "\" cannot select an element from any list"
        );
        return Err(Exit::coded(message, &["TCL", "VALUE", "INDEXOUTOFRANGE"]));
    }
    Ok(position)
}

/// Picks the part of an element that `-index` means.
fn pick(element: &Value, path: &[Value]) -> Outcome {
    let mut value = element.clone();
    for step in path {
        let items = value.as_list()?;
        let position = selecting(step)?;
        let Some(at) = position.within(items.len()) else {
            let at = position.offset(items.len()).to_string();
            let message = bytes!("element ", at, " missing from sublist \"", value, "\"");
            return Err(Exit::coded(
                message,
                &["TCL", "OPERATION", "LSORT", "INDEXFAILED"],
            ));
        };
        let next = items[at].clone();
        value = next;
    }
    Ok(value)
}

/// Sorts when comparing can neither fail nor contradict itself; `None` leaves it to the general way.
fn sort_plain(order: &Order, decreasing: bool, keyed: &[(SortKey, usize)]) -> Option<Vec<usize>> {
    fn sorted<K>(
        mut keys: Vec<(K, usize)>,
        decreasing: bool,
        compare: impl Fn(&K, &K) -> Ordering,
    ) -> Vec<usize> {
        if decreasing {
            keys.sort_by(|a, b| compare(&b.0, &a.0));
        } else {
            keys.sort_by(|a, b| compare(&a.0, &b.0));
        }
        keys.into_iter().map(|(_, at)| at).collect()
    }
    match order {
        Order::Integer => {
            let small = |(key, at): &(SortKey, usize)| match key {
                SortKey::Number(Number::Int(n)) => Some((*n, *at)),
                _ => None,
            };
            let keys = keyed.iter().map(small).collect::<Option<Vec<_>>>()?;
            Some(sorted(keys, decreasing, i64::cmp))
        }
        Order::Ascii => {
            let text = |(key, at): &'_ (SortKey, usize)| match key {
                SortKey::Text(text) => Some((text.clone(), *at)),
                SortKey::Number(_) => None,
            };
            let keys = keyed.iter().map(text).collect::<Option<Vec<_>>>()?;
            Some(sorted(keys, decreasing, |a, b| a.bytes().cmp(b.bytes())))
        }
        _ => None,
    }
}

/// Sorts stably with a comparison that may fail.
fn merge_sort<T>(
    interp: &mut Interp<'_>,
    items: Vec<T>,
    compare: &mut impl FnMut(&mut Interp<'_>, &T, &T) -> Outcome<Ordering>,
) -> Outcome<Vec<T>> {
    if items.len() < 2 {
        return Ok(items);
    }
    let mut left = items;
    let right = left.split_off(left.len() / 2);
    let left = merge_sort(interp, left, compare)?;
    let right = merge_sort(interp, right, compare)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = match compare(interp, a, b)? {
            Ordering::Greater => right.next(),
            _ => left.next(),
        };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

const LSORT_OPTIONS: [&str; 12] = [
    "-ascii",
    "-command",
    "-decreasing",
    "-dictionary",
    "-increasing",
    "-index",
    "-indices",
    "-integer",
    "-nocase",
    "-real",
    "-stride",
    "-unique",
];

fn missing_value(option: &str, what: &str, name: &str) -> Exit {
    let message = format!("\"{option}\" option must be followed by {what}");
    Exit::coded(message, &["TCL", "OPERATION", name, "NOVALUE"])
}

fn lsort(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (list, options) = args.split_last().expect("at least one argument");
    let mut order = Order::Ascii;
    let (mut decreasing, mut unique, mut indices, mut nocase) = (false, false, false, false);
    let mut path: Vec<Value> = Vec::new();
    let mut stride = 1;
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        let name = LSORT_OPTIONS[choice(option, &LSORT_OPTIONS, "option")?];
        match name {
            "-ascii" => order = Order::Ascii,
            "-command" => match rest.next() {
                Some(command) => order = Order::Command(command.clone()),
                None => return Err(missing_value(name, "comparison command", "LSORT")),
            },
            "-decreasing" => decreasing = true,
            "-dictionary" => order = Order::Dictionary,
            "-increasing" => decreasing = false,
            "-index" => match rest.next() {
                Some(list) => {
                    path = list.as_list()?.to_vec();
                    for step in &path {
                        index(step)?;
                    }
                }
                None => return Err(missing_value(name, "list index", "LSORT")),
            },
            "-indices" => indices = true,
            "-integer" => order = Order::Integer,
            "-nocase" => nocase = true,
            "-real" => order = Order::Real,
            "-stride" => match rest.next() {
                Some(word) => {
                    stride = usize::try_from(expect_int(word)?).unwrap_or(0);
                    if stride < 2 {
                        return Err(Exit::coded(
                            "stride length must be at least 2",
                            &["TCL", "OPERATION", "LSORT", "BADSTRIDE"],
                        ));
                    }
                }
                None => return Err(missing_value(name, "stride length", "LSORT")),
            },
            _ => unique = true,
        }
    }
    if nocase && order == Order::Ascii {
        order = Order::Nocase;
    }
    let items = list.as_list()?;
    if !items.len().is_multiple_of(stride) {
        return Err(Exit::coded(
            "list size must be a multiple of the stride length",
            &["TCL", "OPERATION", "LSORT", "BADSTRIDE"],
        ));
    }
    let mut keyed = Vec::with_capacity(items.len() / stride);
    for (at, group) in items.chunks_exact(stride).enumerate() {
        let key = match (&path[..], stride) {
            ([], _) => group[0].clone(),
            (path, 1) => pick(&group[0], path)?,
            ([first, deeper @ ..], _) => {
                let Some(place) = selecting(first)?.within(stride) else {
                    return Err(Exit::coded(
                        "when used with \"-stride\", the leading \"-index\" value must be within the group",
                        &["TCL", "OPERATION", "LSORT", "BADINDEX"],
                    ));
                };
                pick(&group[place], deeper)?
            }
        };
        keyed.push((order.key(&key)?, at * stride));
    }
    if !unique
        && !indices
        && stride == 1
        && let Some(sorted) = sort_plain(&order, decreasing, &keyed)
    {
        let sorted = sorted.into_iter().map(|at| items[at].clone());
        return Ok(Value::list(sorted.collect()));
    }
    let mut compare = |interp: &mut Interp<'_>, a: &(SortKey, usize), b: &(SortKey, usize)| {
        let ordering = order.compare(interp, &a.0, &b.0)?;
        Ok(if decreasing {
            ordering.reverse()
        } else {
            ordering
        })
    };
    let mut sorted = merge_sort(interp, keyed, &mut compare)?;
    if unique {
        let mut kept: Vec<(SortKey, usize)> = Vec::with_capacity(sorted.len());
        for item in sorted {
            let same = match kept.last() {
                Some(last) => compare(interp, last, &item)?.is_eq(),
                None => false,
            };
            // Of equal elements the last one stays.
            if same {
                kept.pop();
            }
            kept.push(item);
        }
        sorted = kept;
    }
    let mut result = Vec::with_capacity(items.len());
    for (_, at) in sorted {
        if indices {
            result.push(Value::int(at as i64));
        } else {
            result.extend_from_slice(&items[at..at + stride]);
        }
    }
    Ok(Value::list(result))
}

const LSEARCH_OPTIONS: [&str; 18] = [
    "-all",
    "-ascii",
    "-bisect",
    "-decreasing",
    "-dictionary",
    "-exact",
    "-glob",
    "-increasing",
    "-index",
    "-inline",
    "-integer",
    "-nocase",
    "-not",
    "-real",
    "-regexp",
    "-sorted",
    "-start",
    "-subindices",
];

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Exact,
    Glob,
    Regexp,
    Sorted,
}

/// What the options of `lsearch` say.
struct Search {
    mode: Mode,
    order: Order,
    all: bool,
    inline: bool,
    not: bool,
    nocase: bool,
    decreasing: bool,
    bisect: bool,
    subindices: bool,
    start: Option<super::Position>,
    path: Rc<Vec<Value>>,
}

fn search_options(options: &[Value]) -> Outcome<Search> {
    let mut search = Search {
        mode: Mode::Glob,
        order: Order::Ascii,
        all: false,
        inline: false,
        not: false,
        nocase: false,
        decreasing: false,
        bisect: false,
        subindices: false,
        start: None,
        path: Rc::default(),
    };
    let mut rest = options.iter();
    while let Some(option) = rest.next() {
        let name = LSEARCH_OPTIONS[choice(option, &LSEARCH_OPTIONS, "option")?];
        match name {
            "-all" => search.all = true,
            "-ascii" => search.order = Order::Ascii,
            "-bisect" => {
                search.mode = Mode::Sorted;
                search.bisect = true;
            }
            "-decreasing" => search.decreasing = true,
            "-dictionary" => search.order = Order::Dictionary,
            "-exact" => search.mode = Mode::Exact,
            "-glob" => search.mode = Mode::Glob,
            "-increasing" => search.decreasing = false,
            "-index" => match rest.next() {
                Some(list) => {
                    search.path = list.as_list()?;
                    for step in search.path.iter() {
                        index(step)?;
                    }
                }
                None => {
                    return Err(Exit::coded(
                        "\"-index\" option must be followed by list index",
                        &["TCL", "ARGUMENT", "MISSING"],
                    ));
                }
            },
            "-inline" => search.inline = true,
            "-integer" => search.order = Order::Integer,
            "-nocase" => search.nocase = true,
            "-not" => search.not = true,
            "-real" => search.order = Order::Real,
            "-regexp" => search.mode = Mode::Regexp,
            "-sorted" => search.mode = Mode::Sorted,
            "-start" => match rest.next() {
                Some(start) => search.start = Some(index(start)?),
                None => {
                    return Err(Exit::coded(
                        "missing starting index",
                        &["TCL", "ARGUMENT", "MISSING"],
                    ));
                }
            },
            _ => search.subindices = true,
        }
    }
    if search.subindices && search.path.is_empty() {
        return Err(Exit::coded(
            "-subindices cannot be used without -index option",
            &["TCL", "OPERATION", "LSEARCH", "BAD_OPTION_MIX"],
        ));
    }
    if search.bisect && (search.all || search.not) {
        return Err(Exit::coded(
            "-bisect is not compatible with -all or -not",
            &["TCL", "OPERATION", "LSEARCH", "BAD_OPTION_MIX"],
        ));
    }
    if search.nocase && search.order == Order::Ascii {
        search.order = Order::Nocase;
    }
    Ok(search)
}

fn lsearch(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (options, pair) = args.split_at(args.len() - 2);
    let search = search_options(options)?;
    let (list, pattern) = (&pair[0], &pair[1]);
    let regex = match search.mode {
        Mode::Regexp => {
            let flags = Flags {
                nocase: search.nocase,
                ..Flags::default()
            };
            Some(interp.regex(pattern, flags)?)
        }
        _ => None,
    };
    let items = list.as_list()?;
    let wanted = match (search.mode, &search.order) {
        (Mode::Exact | Mode::Sorted, order) => Some(order.key(pattern)?),
        _ => None,
    };
    let start = search.start.map_or(0, |start| start.clamp_low(items.len()));
    let describe = |at: usize, element: &Value| {
        if search.inline {
            // One element found is given whole, as Tcl does; its manual says otherwise.
            return Ok(if search.subindices && search.all {
                pick(element, &search.path)?
            } else {
                element.clone()
            });
        }
        if !search.subindices {
            return Ok(Value::int(at as i64));
        }
        // The way to what was found, `end` and the like worked out.
        let mut path = vec![Value::int(at as i64)];
        let mut value = element.clone();
        for step in search.path.iter() {
            let position = selecting(step)?;
            let items = value.as_list()?;
            path.push(Value::int(position.offset(items.len())));
            let next = position.within(items.len()).map(|at| items[at].clone());
            value = next.unwrap_or_default();
        }
        Ok(Value::list(path))
    };
    let mut found = Vec::new();
    if search.mode == Mode::Sorted && !search.all && !search.not {
        let wanted = wanted.expect("a sorted search has a key");
        return match bisect(interp, &search, &items, start, &wanted)? {
            Some(at) => describe(at, &items[at]),
            None if search.inline => Ok(Value::empty()),
            None => Ok(Value::int(-1)),
        };
    }
    let case = if search.nocase {
        Case::Insensitive
    } else {
        Case::Sensitive
    };
    for (at, element) in items.iter().enumerate().skip(start) {
        interp.step()?;
        let part = pick(element, &search.path)?;
        let fits = match search.mode {
            Mode::Glob => string_match(pattern.bytes(), part.bytes(), case),
            Mode::Regexp => {
                let regex = regex.as_ref().expect("compiled above");
                super::regex::exec(regex, part.bytes(), 0, false)?.is_some()
            }
            Mode::Exact | Mode::Sorted => {
                let wanted = wanted.as_ref().expect("made above");
                let key = match (search.mode, search.order.key(&part)) {
                    (_, Ok(key)) => key,
                    // An exact search skips what is no number.
                    (Mode::Exact, Err(_)) => SortKey::Text(part),
                    (_, Err(exit)) => return Err(exit),
                };
                match (&key, wanted) {
                    (SortKey::Text(_), SortKey::Number(_)) => {
                        return Err(search
                            .order
                            .key(&pick(element, &search.path)?)
                            .err()
                            .unwrap_or(Exit::Break));
                    }
                    _ => search.order.compare(interp, &key, wanted)?.is_eq(),
                }
            }
        };
        if fits != search.not {
            let value = describe(at, element)?;
            if !search.all {
                return Ok(value);
            }
            found.push(value);
        }
    }
    if search.all {
        return Ok(Value::list(found));
    }
    Ok(if search.inline {
        Value::empty()
    } else {
        Value::int(-1)
    })
}

/// Searches a sorted list: the first equal element, or with `-bisect` the last that is not greater.
fn bisect(
    interp: &mut Interp<'_>,
    search: &Search,
    items: &[Value],
    start: usize,
    wanted: &SortKey,
) -> Outcome<Option<usize>> {
    let (mut low, mut high) = (start.min(items.len()), items.len());
    // The first element that comes after the wanted one, or with it when no bisection is asked for.
    while low < high {
        interp.step()?;
        let middle = low + (high - low) / 2;
        let key = search.order.key(&pick(&items[middle], &search.path)?)?;
        let mut ordering = search.order.compare(interp, &key, wanted)?;
        if search.decreasing {
            ordering = ordering.reverse();
        }
        let before = if search.bisect {
            ordering.is_le()
        } else {
            ordering.is_lt()
        };
        if before {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if search.bisect {
        return Ok((low > start).then(|| low - 1));
    }
    let Some(element) = items.get(low) else {
        return Ok(None);
    };
    let key = search.order.key(&pick(element, &search.path)?)?;
    Ok(search
        .order
        .compare(interp, &key, wanted)?
        .is_eq()
        .then_some(low))
}

//! Reads a Lua modulefile without running it, and says what cannot be right: text that is no Lua, and calls of functions
//! that do not exist, on whatever branch they stand.

use std::collections::HashSet;
use std::sync::Arc;

use mlua::chunk::ChunkMode;
use mlua::{Lua, LuaOptions, StdLib};

use super::{errors, sandbox};
use crate::diag::{Diagnostic, Kind, Place, SourceFile, Span};
use crate::modulefile::Mode;

/// What is wrong with a file, in the order of its lines.
pub(in crate::modulefile) fn lint(source: &Arc<SourceFile>, mode: Mode) -> Vec<Diagnostic> {
    let Ok(lua) = Lua::new_with(StdLib::NONE, LuaOptions::new().catch_rust_panics(false)) else {
        return Vec::new();
    };
    let chunk = lua
        .load(source.text())
        .set_name(format!("@{}", source.path()))
        .set_mode(ChunkMode::Text);
    if let Err(error) = chunk.into_function() {
        return vec![errors::diagnostic(&error, source)];
    }
    let tokens = tokens(source.text());
    let own = defined(&tokens);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let Token::Name(name, start) = token else {
            continue;
        };
        let is_member = index > 0
            && matches!(tokens[index - 1], Token::Sign(b'.' | b':', _))
            && !matches!(
                tokens.get(index.wrapping_sub(2)),
                Some(Token::Sign(b'.', _))
            );
        let is_call = matches!(
            tokens.get(index + 1),
            Some(Token::Sign(b'(' | b'{', _) | Token::Text)
        );
        let before = index.checked_sub(1).map(|before| &tokens[before]);
        let is_definition = matches!(before, Some(Token::Name("function", _)));
        if !is_call || is_member || is_definition || KEYWORDS.contains(name) || own.contains(name) {
            continue;
        }
        if sandbox::is_known(name, mode) {
            continue;
        }
        let place = Place {
            file: Arc::clone(source),
            span: Span::new(*start, *start + name.len()),
        };
        let diagnostic = Diagnostic::new(Kind::Modulefile, format!("unknown function `{name}`"))
            .at(place, "not a function of modulefiles");
        found.push(match sandbox::near_miss(name) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    }
    found
}

const KEYWORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// The names that a file defines somewhere: variables, functions, parameters. Which of them can be seen where is not asked.
fn defined<'t>(tokens: &[Token<'t>]) -> HashSet<&'t str> {
    let mut names = HashSet::new();
    let mut listing = false;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            // `local a, b`, `for k, v in`, `function name(a, b)`.
            Token::Name("local" | "for" | "function", _) => listing = true,
            Token::Name("in" | "do", _) => listing = false,
            Token::Name(name, _) => {
                let next = tokens.get(index + 1);
                let after = tokens.get(index + 2);
                let assigned = matches!(next, Some(Token::Sign(b'=', _)))
                    && !matches!(after, Some(Token::Sign(b'=', _)));
                let several = matches!(next, Some(Token::Sign(b',', _)));
                if listing || assigned || several {
                    names.insert(*name);
                }
            }
            Token::Sign(b')' | b'=' | b';', _) => listing = false,
            Token::Sign(..) | Token::Text | Token::Number => {}
        }
    }
    names
}

/// A piece of Lua; for a name and a sign where it begins.
#[derive(Debug, PartialEq, Eq)]
enum Token<'t> {
    Name(&'t str, usize),
    Sign(u8, usize),
    Text,
    Number,
}

/// The tokens of a text that Lua accepts.
fn tokens(text: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'-' if text[at..].starts_with(b"--") => {
                at += 2;
                at = match long_bracket(text, at) {
                    Some(end) => end,
                    None => line_end(text, at),
                };
            }
            b'[' => match long_bracket(text, at) {
                Some(end) => {
                    tokens.push(Token::Text);
                    at = end;
                }
                None => {
                    tokens.push(Token::Sign(byte, at));
                    at += 1;
                }
            },
            b'"' | b'\'' => {
                tokens.push(Token::Text);
                at += 1;
                while text.get(at).is_some_and(|&b| b != byte) {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'0'..=b'9' => {
                tokens.push(Token::Number);
                while text
                    .get(at)
                    .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'.')
                {
                    at += 1;
                }
            }
            _ if is_letter(byte) => {
                let start = at;
                while text
                    .get(at)
                    .is_some_and(|b| is_letter(*b) || b.is_ascii_digit())
                {
                    at += 1;
                }
                if let Ok(name) = std::str::from_utf8(&text[start..at]) {
                    tokens.push(Token::Name(name, start));
                }
            }
            _ => {
                if !byte.is_ascii_whitespace() {
                    tokens.push(Token::Sign(byte, at));
                }
                at += 1;
            }
        }
    }
    tokens
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn line_end(text: &[u8], at: usize) -> usize {
    let rest = text[at.min(text.len())..].iter();
    at + rest.take_while(|b| **b != b'\n').count()
}

/// The end of a text between long brackets (`[[`, `[==[`) that begins at `at`, if one does.
fn long_bracket(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix(b"[")?;
    let level = rest.iter().take_while(|b| **b == b'=').count();
    if rest.get(level) != Some(&b'[') {
        return None;
    }
    let mut close = vec![b'='; level + 2];
    close[0] = b']';
    close[level + 1] = b']';
    let body = at + level + 2;
    let found = text[body..]
        .windows(close.len())
        .position(|piece| piece == close);
    Some(found.map_or(text.len(), |found| body + found + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(text: &str) -> Vec<String> {
        let source = SourceFile::new("x.lua", text);
        let found = lint(&source, Mode::Load).into_iter();
        found.map(|mistake| mistake.message).collect()
    }

    #[test]
    fn calls_of_what_does_not_exist_are_told_on_every_branch() {
        assert_eq!(
            unknown("if false then setnv('A', 'b') end\nprepend_pth{'PATH', '/x'}"),
            ["unknown function `setnv`", "unknown function `prepend_pth`"]
        );
    }

    #[test]
    fn what_a_file_defines_and_what_only_looks_like_a_call_is_no_mistake() {
        let text = "-- nosuch()\n--[[ nosuch() ]]\nlocal s = [==[ nosuch() ]] ]==]\n\
            local function f(a, g) return g(a) end\nh = function() end\nh() f(1, tostring)\n\
            local t = { x = 'nosuch()' }\nt.nosuch() s:rep(2)\nfor _, k in ipairs(t) do k() end\n\
            setenv('A', pathJoin('a', s .. tostring(1)))\nlocal a, b = string.gsub, print\na('x', 'y', b)\n";
        assert_eq!(unknown(text), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_lua_is_told_with_its_place() {
        let source = SourceFile::new("x.lua", "setenv('A', 'b'\n");
        let found = lint(&source, Mode::Load);
        assert!(found[0].to_string().contains("x.lua"), "{}", found[0]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[a-z(){}\\[\\]=\"'\\\\\n -]{0,60}") {
            tokens(text.as_bytes());
        }
    }
}

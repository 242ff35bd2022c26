//! Words and substitutions: from what was parsed to values.

use super::Interp;
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::parse::{self, Code, Index, Part, VarRef, Word, WordKind};
use crate::modulefile::tcl::value::Value;

impl Interp<'_> {
    /// The value of a word, braces of `{*}` aside.
    pub(in crate::modulefile::tcl) fn word_value(&mut self, word: &Word) -> Outcome {
        match &word.kind {
            WordKind::Const(value) => Ok(value.clone()),
            WordKind::Var(variable) => self.read_ref(variable),
            WordKind::Script(script) => self.eval_bracket(script),
            WordKind::Parts(parts) => self.substitute(parts),
            WordKind::Element(variable) => {
                let index = self.index_value(variable)?;
                let text = bytes!(variable.name, "(", index, ")");
                self.check_size(text.len())?;
                Ok(Value::new(text))
            }
        }
    }

    /// The index of an element; empty for what has none.
    pub(in crate::modulefile::tcl) fn index_value(&mut self, variable: &VarRef) -> Outcome {
        match &variable.index {
            None => Ok(Value::empty()),
            Some(Index::Const(index)) => Ok(index.clone()),
            Some(Index::Parts(parts)) => self.substitute(parts),
        }
    }

    pub(super) fn collect_words(
        &mut self,
        parsed: &parse::Command,
        words: &mut Vec<Value>,
    ) -> Outcome<()> {
        for word in &parsed.words {
            let value = self.word_value(word)?;
            if word.expand {
                words.extend(value.as_list()?.iter().cloned());
            } else {
                words.push(value);
            }
        }
        Ok(())
    }

    /// Joins the pieces of a word.
    pub(in crate::modulefile::tcl) fn substitute(&mut self, parts: &[Part]) -> Outcome {
        if let [part] = parts {
            return match part {
                Part::Text(value) => Ok(value.clone()),
                Part::Var(variable) => self.read_ref(variable),
                Part::Script(script) => self.eval_bracket(script),
            };
        }
        let mut text = Vec::new();
        for part in parts {
            match part {
                Part::Text(value) => text.extend_from_slice(value.bytes()),
                Part::Var(variable) => text.extend_from_slice(self.read_ref(variable)?.bytes()),
                Part::Script(script) => text.extend_from_slice(self.eval_bracket(script)?.bytes()),
            }
        }
        self.check_size(text.len())?;
        Ok(Value::new(text))
    }

    /// `subst`: `break`, `continue` and `return` inside a bracket end the text, leave the bracket out, or put a value.
    pub(in crate::modulefile::tcl) fn subst(
        &mut self,
        text: &Value,
        which: parse::Substitutions,
    ) -> Outcome {
        let style = self.body_style();
        let code = Code::value(text);
        let (parts, wrong) = parse::template(&code, which);
        let mut out = Vec::new();
        for part in &parts {
            let piece = match part {
                Part::Text(value) => Ok(value.clone()),
                Part::Var(variable) => self.read_ref(variable),
                Part::Script(script) => self.nested(|interp| interp.run_script(script, style)),
            };
            match piece {
                Ok(value) => out.extend_from_slice(value.bytes()),
                Err(Exit::Break) => return Ok(Value::new(out)),
                Err(Exit::Continue) => {}
                Err(Exit::Return(returning)) => out.extend_from_slice(returning.value.bytes()),
                Err(Exit::Other(other)) => out.extend_from_slice(other.value.bytes()),
                Err(other) => return Err(other),
            }
            self.check_size(out.len())?;
        }
        match wrong {
            Some(wrong) => Err(Exit::error(wrong.message)),
            None => Ok(Value::new(out)),
        }
    }
}

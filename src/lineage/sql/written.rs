//! How a dialect writes words and strings, where the grammar of its name is mistaken about it.
use std::any::TypeId;

use sqlparser::{
    dialect::{Dialect as Grammar, HiveDialect},
    tokenizer::{Token, TokenWithSpan},
};

use super::{dialect::Dialect, parse::grammar};

/// Tells the words of Hive apart: `"…"` is a string there, and a backslash escapes what follows.
#[derive(Debug)]
struct HiveWords(HiveDialect);

impl Grammar for HiveWords {
    fn dialect(&self) -> TypeId {
        self.0.dialect()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        self.0.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        self.0.is_identifier_part(ch)
    }

    fn supports_numeric_prefix(&self) -> bool {
        self.0.supports_numeric_prefix()
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }
}

/// What tells the words of `written` apart where the grammar of `dialect` reads them; `None` where that does.
pub(super) fn words_of(written: Dialect, dialect: Dialect) -> Option<Box<dyn Grammar>> {
    match written.name() {
        "hive" => Some(Box::new(HiveWords(HiveDialect {}))),
        _ => (written != dialect).then(|| grammar(written)),
    }
}

/// BigQuery's grammar knows no shifts: `a << 2` gets an operator of the same name. `>>` that closes two types stays.
pub(super) fn shifts_are_operators(tokens: &mut [TokenWithSpan]) {
    if !tokens.iter().any(|one| matches!(one.token, Token::ShiftLeft | Token::ShiftRight)) {
        return;
    }
    // How many `<` of types are open.
    let (mut open, mut behind_type) = (0u32, false);
    for one in tokens {
        match &one.token {
            Token::Whitespace(_) => continue,
            Token::Lt if open > 0 || behind_type => open += 1,
            Token::Gt => open = open.saturating_sub(1),
            Token::ShiftRight if open > 0 => open = open.saturating_sub(2),
            Token::ShiftLeft => one.token = Token::CustomBinaryOperator("<<".to_owned()),
            Token::ShiftRight => one.token = Token::CustomBinaryOperator(">>".to_owned()),
            _ => {}
        }
        behind_type = takes_types(&one.token);
    }
}

/// Whether `<` behind `token` opens a list of types.
fn takes_types(token: &Token) -> bool {
    let names = ["array", "struct", "range", "table", "map"];
    matches!(token, Token::Word(word) if word.quote_style.is_none() && names.iter().any(|name| word.value.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use sqlparser::tokenizer::Tokenizer;

    use super::*;

    /// The shifts that are operators, and those that are left.
    fn shifts(text: &str) -> (Vec<String>, Vec<String>) {
        let mut tokens =
            Tokenizer::new(&*grammar(Dialect::named("bigquery").unwrap()), text).tokenize_with_location().unwrap();
        shifts_are_operators(&mut tokens);
        let written = |wanted: fn(&Token) -> bool| {
            tokens.iter().filter(|one| wanted(&one.token)).map(|one| one.token.to_string()).collect()
        };
        (
            written(|token| matches!(token, Token::CustomBinaryOperator(_))),
            written(|token| matches!(token, Token::ShiftLeft | Token::ShiftRight)),
        )
    }

    #[test]
    fn a_shift_is_an_operator_and_the_end_of_two_types_is_none() {
        let none: Vec<String> = Vec::new();
        assert_eq!(shifts("select a << 2, b >> c"), (vec!["<<".to_owned(), ">>".to_owned()], none.clone()));
        assert_eq!(shifts("cast(x as array<struct<a int64>>)"), (none.clone(), vec![">>".to_owned()]));
        assert_eq!(
            shifts("select cast(x as array<struct<a array<struct<b int64>>>>), a >> 1"),
            (vec![">>".to_owned()], vec![">>".to_owned(), ">>".to_owned()])
        );
        // `<` that compares opens nothing.
        assert_eq!(shifts("select a < b >> 1"), (vec![">>".to_owned()], none));
    }
}

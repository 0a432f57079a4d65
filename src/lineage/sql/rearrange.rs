//! Rewrites that move words, where blanking is not enough: Hive's multi-insert, MySQL's update of several tables.
use super::{
    lexer::{Kind, Token},
    scan::name_at,
    splice::Splice,
};

/// The statements that `tokens` stand for, in an order the grammar knows; none where nothing needs to move.
pub(super) fn rearranged(text: &str, tokens: &[Token]) -> Vec<Splice> {
    let made = moved(text, tokens);
    if made.is_empty() { bare_using(text, tokens).into_iter().collect() } else { made }
}

fn moved(text: &str, tokens: &[Token]) -> Vec<Splice> {
    match tokens.first() {
        Some(first) if first.is(text, "from") || first.is(text, "with") => multi_insert(text, tokens),
        Some(first) if first.is(text, "select") && outfile(text, tokens).is_some() => {
            without_outfile(text, tokens).into_iter().collect()
        }
        Some(first) if first.is(text, "update") => update_of_many(text, tokens).into_iter().collect(),
        Some(first) if first.is(text, "copy") => psql_file(text, tokens).into_iter().collect(),
        Some(first) if first.is(text, "alter") => mutation(text, tokens).into_iter().collect(),
        _ => models(text, tokens).into_iter().collect(),
    }
}

/// psql's `\copy t from land/t.csv csv`, whose file needs no quotes and ends at the next space: it gets them.
fn psql_file(text: &str, tokens: &[Token]) -> Option<Splice> {
    let first = tokens.first().filter(|first| text[..first.at.start].ends_with('\\'))?;
    let (way, _) = outer(tokens).find(|(_, token)| token.is(text, "from") || token.is(text, "to"))?;
    let path = &tokens[way + 1..];
    let start = path.first().filter(|token| token.kind != Kind::Text)?.at.start;
    let joined = path.windows(2).take_while(|pair| pair[0].at.end == pair[1].at.start).count();
    let end = path[joined].at.end;
    if ["stdin", "stdout", "pstdin", "pstdout", "program"]
        .iter()
        .any(|word| text[start..end].eq_ignore_ascii_case(word))
    {
        return None;
    }
    let mut splice = Splice::default();
    splice.keep(text, first.at.start..start);
    splice.add("'");
    splice.keep(text, start..end);
    splice.add("'");
    splice.keep(text, end..tokens[tokens.len() - 1].at.end);
    Some(splice)
}

/// ClickHouse's `ALTER TABLE t UPDATE a = b WHERE …` and `ALTER TABLE t DELETE WHERE …`.
fn mutation(text: &str, tokens: &[Token]) -> Option<Splice> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(text, word));
    let (_, mut verb) = name_at(text, tokens, 2).filter(|_| is(1, "table"))?;
    let name = tokens[2].at.start..tokens[verb - 1].at.end;
    if is(verb, "on") && is(verb + 1, "cluster") {
        verb += 3;
    }
    let rest = tokens.get(verb + 1)?.at.start..tokens[tokens.len() - 1].at.end;
    let (before, between) = match (is(verb, "update"), is(verb, "delete")) {
        (true, _) => ("UPDATE ", " SET "),
        (_, true) => ("DELETE FROM ", " "),
        _ => return None,
    };
    let mut splice = Splice::default();
    splice.add(before);
    splice.keep(text, name);
    splice.add(between);
    splice.keep(text, rest);
    Some(splice)
}

/// BigQuery's `ML.PREDICT(MODEL m, TABLE t)`: a model and a table as arguments become subqueries over them.
fn models(text: &str, tokens: &[Token]) -> Option<Splice> {
    let mut splice = Splice::default();
    let mut done = tokens.first()?.at.start;
    for at in 1..tokens.len() {
        let opens = matches!(tokens[at - 1].kind, Kind::Sign('(' | ','));
        let is_model = tokens[at].is(text, "model");
        let Some((_, end)) = name_at(text, tokens, at + 1).filter(|_| opens) else { continue };
        let closes = tokens.get(end).is_some_and(|token| matches!(token.kind, Kind::Sign(')' | ',')));
        if closes && (is_model || tokens[at].is(text, "table")) {
            splice.keep(text, done..tokens[at].at.start);
            splice.add(if is_model { "(SELECT 1 FROM " } else { "(SELECT * FROM " });
            splice.keep(text, tokens[at + 1].at.start..tokens[end - 1].at.end);
            splice.add(")");
            done = tokens[end - 1].at.end;
        }
    }
    if splice.text.is_empty() {
        return None;
    }
    splice.keep(text, done..tokens[tokens.len() - 1].at.end);
    Some(splice)
}

/// ClickHouse's `JOIN u USING a, b`: the columns get their parentheses.
fn bare_using(text: &str, tokens: &[Token]) -> Option<Splice> {
    const OTHERS: [&str; 4] = ["delete", "merge", "copy", "alter"];
    if tokens.first().is_none_or(|first| OTHERS.iter().any(|word| first.is(text, word))) {
        return None;
    }
    let is_column = |at: usize| tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
    let mut splice = Splice::default();
    let mut done = tokens.first()?.at.start;
    let joins = tokens.iter().position(|token| token.is(text, "join"))?;
    for at in (joins..tokens.len()).filter(|at| tokens[*at].is(text, "using") && is_column(at + 1)) {
        let more =
            tokens[at + 2..].chunks_exact(2).take_while(|pair| pair[0].is_sign(',') && pair[1].kind == Kind::Word);
        let last = &tokens[at + 1 + 2 * more.count()];
        splice.keep(text, done..tokens[at].at.end);
        splice.add(" (");
        splice.keep(text, tokens[at + 1].at.start..last.at.end);
        splice.add(")");
        done = last.at.end;
    }
    if splice.text.is_empty() {
        return None;
    }
    splice.keep(text, done..tokens[tokens.len() - 1].at.end);
    Some(splice)
}

/// Tokens outside parentheses, with their numbers.
fn outer(tokens: &[Token]) -> impl Iterator<Item = (usize, &Token)> {
    let mut depth = 0i32;
    tokens.iter().enumerate().filter(move |(_, token)| {
        depth += i32::from(token.is_sign('('));
        let outside = depth == 0;
        depth -= i32::from(token.is_sign(')'));
        outside
    })
}

/// `[WITH …] FROM x INSERT INTO a SELECT … INSERT INTO b SELECT …`: each INSERT gets the FROM behind its select list.
fn multi_insert(text: &str, tokens: &[Token]) -> Vec<Splice> {
    let from = outer(tokens).find(|(_, token)| token.is(text, "from")).map(|(at, _)| at);
    let inserts: Vec<usize> = outer(tokens)
        .filter(|(at, token)| {
            let next = tokens.get(at + 1);
            token.is(text, "insert") && next.is_some_and(|n| n.is(text, "into") || n.is(text, "overwrite"))
        })
        .map(|(at, _)| at)
        .collect();
    let (Some(from), Some(first)) = (from, inserts.first().copied()) else { return Vec::new() };
    if from > first || outer(&tokens[..from]).any(|(_, token)| token.is(text, "select")) {
        return Vec::new();
    }
    let ends = inserts.iter().skip(1).copied().chain([tokens.len()]);
    inserts.iter().zip(ends).map(|(start, end)| insert_from(text, tokens, from..first, *start..end)).collect()
}

fn insert_from(text: &str, tokens: &[Token], from: std::ops::Range<usize>, insert: std::ops::Range<usize>) -> Splice {
    const BEHIND: [&str; 11] =
        ["where", "group", "having", "order", "sort", "cluster", "distribute", "limit", "window", "lateral", "qualify"];
    let bytes = |range: std::ops::Range<usize>| tokens[range.start].at.start..tokens[range.end - 1].at.end;
    let own = &tokens[insert.clone()];
    let has_from = outer(own).any(|(_, token)| token.is(text, "from"));
    let behind = outer(own).find(|(_, token)| BEHIND.iter().any(|word| token.is(text, word))).map(|(at, _)| at);
    let cut = insert.start + behind.unwrap_or(own.len());
    let mut splice = Splice::default();
    if from.start > 0 {
        splice.keep(text, bytes(0..from.start));
        splice.add(" ");
    }
    if has_from || cut == insert.start {
        splice.keep(text, bytes(insert));
        return splice;
    }
    splice.keep(text, bytes(insert.start..cut));
    splice.add(" ");
    splice.keep(text, bytes(from));
    if cut < insert.end {
        splice.add(" ");
        splice.keep(text, bytes(cut..insert.end));
    }
    splice
}

/// Where MySQL's `SELECT … INTO OUTFILE 'file'` says so: the token of the file's name.
pub(super) fn outfile(text: &str, tokens: &[Token]) -> Option<usize> {
    let into = outer(tokens).find(|(at, token)| {
        let next = tokens.get(at + 1);
        token.is(text, "into") && next.is_some_and(|n| n.is(text, "outfile") || n.is(text, "dumpfile"))
    });
    into.map(|(at, _)| at + 2).filter(|at| tokens.get(*at).is_some_and(|token| token.kind == Kind::Text))
}

/// The same SELECT without the clause, which may stand before its FROM or at its end.
fn without_outfile(text: &str, tokens: &[Token]) -> Option<Splice> {
    let file = outfile(text, tokens)?;
    let behind = (file..tokens.len()).find(|at| tokens[*at].is(text, "from"));
    let mut splice = Splice::default();
    splice.keep(text, tokens[0].at.start..tokens[file - 3].at.end);
    if let Some(from) = behind {
        splice.add(" ");
        splice.keep(text, tokens[from].at.start..tokens[tokens.len() - 1].at.end);
    }
    Some(splice)
}

/// `UPDATE a, b SET …`: a comma is a join.
fn update_of_many(text: &str, tokens: &[Token]) -> Option<Splice> {
    let set = outer(tokens).find(|(_, token)| token.is(text, "set")).map(|(at, _)| at)?;
    let commas: Vec<&Token> =
        outer(&tokens[..set]).map(|(_, token)| token).filter(|token| token.kind == Kind::Sign(',')).collect();
    if commas.is_empty() {
        return None;
    }
    let mut splice = Splice::default();
    let mut done = tokens[0].at.start;
    for comma in commas {
        splice.keep(text, done..comma.at.start);
        splice.add(" cross join ");
        done = comma.at.end;
    }
    splice.keep(text, done..tokens[tokens.len() - 1].at.end);
    Some(splice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::{dialect::Dialect, lexer::lex};

    fn made(text: &str) -> Vec<String> {
        rearranged(text, &lex(text, Dialect::GENERIC.rules())).into_iter().map(|splice| splice.text).collect()
    }

    #[test]
    fn each_insert_gets_the_from_it_shares() {
        let text = "from (select 1 from s) x insert into a select x.b where c insert overwrite table d select max(extract(day from x.e))";
        let expected = [
            "insert into a select x.b from (select 1 from s) x where c",
            "insert overwrite table d select max(extract(day from x.e)) from (select 1 from s) x",
        ];
        assert_eq!(made(text), expected);
        assert_eq!(
            made("with q as (select 1) from q insert into a select b"),
            ["with q as (select 1) insert into a select b from q"]
        );
    }

    #[test]
    fn what_is_in_order_stays() {
        for text in [
            "from t select a",
            "with q as (select 1 from r) insert into a select * from q",
            "update a set b = 1, c = 2",
        ] {
            assert_eq!(made(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(made("update a x, b y set x.c = 1"), ["update a x cross join  b y set x.c = 1"]);
    }
}

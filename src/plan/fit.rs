//! Does an edit fit a file as it is now? Byte for byte, or moved by comments, spacing and carve's own other edits.
use std::ops::Range;

use super::{FileEdit, MadeEdits, SpanEdit, apply_edits, mention};
use crate::vocab::Digest;

/// A file with regard to an edit of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The edit can be made.
    Before {
        /// The edit as it would be made in these bytes.
        made: MadeEdits,
        /// The text after it.
        after: String,
    },
    /// The edit stands.
    After {
        /// The text without it; `None` where its places cannot be told for sure.
        before: Option<String>,
    },
    /// Neither, in words that go on from the file's name.
    Neither(String),
}

/// Edits of one file that carve made and that may stand in it.
#[derive(Clone, Debug, Default)]
pub struct StandingEdits<'a> {
    /// Those of the same plan: it was drafted before them.
    pub same_plan: Vec<&'a MadeEdits>,
    /// Those of other plans, a group each: the plan may have been drafted before or after them.
    pub of_others: Vec<Vec<&'a MadeEdits>>,
}

/// What is known beside the plan when a file is looked at.
#[derive(Clone, Copy)]
pub struct FitKnown<'a> {
    /// Other edits that carve made in the file.
    pub standing: &'a StandingEdits<'a>,
    /// This edit as it was made, where the journal says that it was.
    pub own: Option<&'a MadeEdits>,
    /// What a text of this file means.
    pub meaning: &'a dyn Fn(&str) -> Digest,
}

/// How `edit` fits `text`.
///
/// What carve itself has edited there since is thought away first. What is left must be the bytes that the plan saw,
/// or mean the same; then each place is found again by its mention, and the edited text must mean what the plan
/// promises. So a comment moves an edit and nothing else can.
pub fn fit(edit: &FileEdit, text: &str, known: &FitKnown<'_>) -> Fit {
    if let Some(own) = known.own.filter(|own| own.after == Digest::of(text)) {
        let back = apply_edits(text, &led_back(&own.edits)).filter(|back| Digest::of(back) == own.before);
        return Fit::After { before: back };
    }
    let bases = bases(text, known.standing);
    let meant = |at: usize| edit.meaning.map(|both| both[at]);
    // Bytes are asked first: they are surer than a meaning, and quicker.
    for means in [false, true] {
        let is = |base: &Undone, bytes, at| match means {
            false => Digest::of(&base.text) == bytes,
            true => meant(at).is_some_and(|meant| (known.meaning)(&base.text) == meant),
        };
        for base in &bases {
            if is(base, edit.before, 0) {
                return before(edit, text, base, known);
            }
            if is(base, edit.after, 1) {
                return Fit::After { before: without(edit, text, base, known) };
            }
        }
    }
    Fit::Neither("was changed since: the plan's edits do not fit it".to_owned())
}

/// Whether `text` can be what the plan saw, with any of carve's own edits thought away: the same bytes, or the same meaning.
pub(super) fn is_as_planned(
    text: &str,
    bytes: Digest,
    meant: Digest,
    standing: &StandingEdits<'_>,
    meaning: &dyn Fn(&str) -> Digest,
) -> bool {
    let bases = bases(text, standing);
    bases.iter().any(|base| Digest::of(&base.text) == bytes) || bases.iter().any(|base| meaning(&base.text) == meant)
}

/// `text` as it may have been when the plan was drafted: without the plan's own edits, and with or without those of
/// each other plan.
fn bases(text: &str, standing: &StandingEdits<'_>) -> Vec<Undone> {
    // Beyond this many plans in one file the last ones count as one: the number of bases doubles with each.
    const APART: usize = 6;
    let (apart, rest) = standing.of_others.split_at(standing.of_others.len().min(APART));
    let rest: Vec<&MadeEdits> = rest.iter().flatten().copied().collect();
    let groups: Vec<&[&MadeEdits]> =
        apart.iter().map(Vec::as_slice).chain(Some(rest.as_slice()).filter(|rest| !rest.is_empty())).collect();
    let mut found: Vec<Undone> = Vec::new();
    for chosen in 0..1_u32 << groups.len() {
        let away = groups.iter().enumerate().filter(|(at, _)| chosen & (1 << at) != 0).flat_map(|(_, group)| *group);
        let away: Vec<&MadeEdits> = standing.same_plan.iter().chain(away).copied().collect();
        let base = Undone::of(text, &away);
        if !found.iter().any(|other| other.text == base.text) {
            found.push(base);
        }
    }
    found
}

fn before(edit: &FileEdit, text: &str, base: &Undone, known: &FitKnown<'_>) -> Fit {
    let neither = |why: &str| Fit::Neither(why.to_owned());
    let exact = Digest::of(&base.text) == edit.before;
    let Some(in_base) = (if exact { Some(edit.edits.clone()) } else { found_again(edit, &base.text) }) else {
        return neither("was changed since: a place that the plan edits was not found again");
    };
    let Some(promised) = apply_edits(&base.text, &in_base) else {
        return neither("does not hold what the plan's edits replace");
    };
    let kept = match exact {
        true => Digest::of(&promised) == edit.after,
        false => edit.meaning.is_some_and(|[_, after]| (known.meaning)(&promised) == after),
    };
    if !kept {
        return neither("would not become what the plan promises");
    }
    let Some(edits) = in_base.iter().map(|edit| base.now(edit)).collect::<Option<Vec<_>>>() else {
        return neither("has another edit of carve where the plan edits");
    };
    match apply_edits(text, &edits) {
        Some(after) => Fit::Before { made: MadeEdits::of(text, &after, edits), after },
        None => neither("does not hold what the plan's edits replace"),
    }
}

/// The text with the edit undone, and only where what is left is what the plan saw.
fn without(edit: &FileEdit, text: &str, base: &Undone, known: &FitKnown<'_>) -> Option<String> {
    let exact = Digest::of(&base.text);
    let in_base = match known.own {
        Some(own) if own.after == exact => led_back(&own.edits),
        _ if edit.after == exact => led_back(&edit.edits),
        Some(own) => own.standing(&base.text)?,
        None => return None,
    };
    let bare = Undone::rest(apply_edits(&base.text, &in_base)?);
    if !bare.is(edit.before, edit.meaning.map(|[before, _]| before), known.meaning) {
        return None;
    }
    let edits = in_base.iter().map(|edit| base.now(edit)).collect::<Option<Vec<_>>>()?;
    apply_edits(text, &edits)
}

fn found_again(edit: &FileEdit, text: &str) -> Option<Vec<SpanEdit>> {
    let numbered = edit.edits.iter().zip(&edit.mentions);
    let found: Vec<SpanEdit> =
        numbered.map(|(edit, number)| at_mention(text, *number, &edit.old, &edit.new)).collect::<Option<_>>()?;
    (found.len() == edit.edits.len()).then_some(found)
}

fn at_mention(text: &str, number: u32, old: &str, new: &str) -> Option<SpanEdit> {
    let start = *mention::mentions(text, old).get(number.checked_sub(1)? as usize)?;
    Some(SpanEdit { start, end: start + old.len(), old: old.to_owned(), new: new.to_owned() })
}

/// The edits that lead back from the text after `edits`.
fn led_back(edits: &[SpanEdit]) -> Vec<SpanEdit> {
    let (mut grown, mut shrunk) = (0, 0);
    let back = edits.iter().map(|edit| {
        let start = (edit.start + grown).saturating_sub(shrunk);
        grown += edit.new.len();
        shrunk += edit.old.len();
        SpanEdit { start, end: start + edit.new.len(), old: edit.new.clone(), new: edit.old.clone() }
    });
    back.collect()
}

impl MadeEdits {
    /// The record of `edits`, which led from `before` to `after`.
    fn of(before: &str, after: &str, edits: Vec<SpanEdit>) -> Self {
        let mentions = led_back(&edits).iter().map(|edit| mention::number(after, &edit.old, edit.start)).collect();
        MadeEdits { before: Digest::of(before), after: Digest::of(after), edits, mentions }
    }

    /// The edits that undo these in `text`, which others may have changed since; `None` where one is not found.
    fn standing(&self, text: &str) -> Option<Vec<SpanEdit>> {
        if self.after == Digest::of(text) {
            return Some(led_back(&self.edits));
        }
        let numbered = self.edits.iter().zip(&self.mentions);
        let mut back: Vec<SpanEdit> =
            numbered.map(|(edit, number)| at_mention(text, *number, &edit.new, &edit.old)).collect::<Option<_>>()?;
        back.sort_by_key(|edit| edit.start);
        (back.len() == self.edits.len()).then_some(back)
    }
}

/// A text with edits thought away, and the way from its places to those of the text as it is.
struct Undone {
    text: String,
    /// Bytes that came back in `text`, each with the bytes in the text as it is.
    moved: Vec<(Range<usize>, Range<usize>)>,
}

impl Undone {
    fn rest(text: String) -> Self {
        Undone { text, moved: Vec::new() }
    }

    fn of(text: &str, made: &[&MadeEdits]) -> Self {
        let mut edits: Vec<SpanEdit> = made.iter().filter_map(|made| made.standing(text)).flatten().collect();
        edits.sort_by_key(|edit| (edit.start, edit.end));
        edits.dedup();
        let Some(undone) = apply_edits(text, &edits) else { return Undone::rest(text.to_owned()) };
        let there = led_back(&edits);
        let moved = edits.iter().zip(&there).map(|(now, base)| (base.start..base.end, now.start..now.end)).collect();
        Undone { text: undone, moved }
    }

    fn is(&self, bytes: Digest, means: Option<Digest>, meaning: &dyn Fn(&str) -> Digest) -> bool {
        Digest::of(&self.text) == bytes || means.is_some_and(|means| meaning(&self.text) == means)
    }

    /// An edit of this text as an edit of the text as it is; `None` where it touches what was thought away.
    fn now(&self, edit: &SpanEdit) -> Option<SpanEdit> {
        let (mut start, mut end) = (edit.start, edit.end);
        for (base, now) in &self.moved {
            if base.start < edit.end && edit.start < base.end {
                return None;
            }
            if base.end <= edit.start {
                start = edit.start - base.end + now.end;
                end = edit.end - base.end + now.end;
            }
        }
        Some(SpanEdit { start, end, ..edit.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lineage, plan::file_edit};

    const SQL: &str = "select a.id, raw.b.x\r\nfrom raw.a a\njoin raw.b on raw.b.id = a.id -- raw.b\n";

    fn means(text: &str) -> Digest {
        lineage::meaning(text, None)
    }

    /// Every mention of `old` outside comments becomes `new`.
    fn edit_of(text: &str, old: &str, new: &str) -> FileEdit {
        let spans = mention::mentions(text, old).into_iter();
        let edits = spans.map(|start| SpanEdit { start, end: start + old.len(), old: old.into(), new: new.into() });
        let edit = file_edit("a.sql".into(), text, edits.collect()).unwrap();
        let after = apply_edits(text, &edit.edits).unwrap();
        FileEdit { meaning: Some([means(text), means(&after)]), ..edit }
    }

    fn look(edit: &FileEdit, text: &str, others: &[&MadeEdits], own: Option<&MadeEdits>) -> Fit {
        let of_others = others.iter().map(|made| vec![*made]).collect();
        let standing = StandingEdits { same_plan: Vec::new(), of_others };
        fit(edit, text, &FitKnown { standing: &standing, own, meaning: &means })
    }

    fn made(edit: &FileEdit, text: &str, others: &[&MadeEdits]) -> (MadeEdits, String) {
        match look(edit, text, others, None) {
            Fit::Before { made, after } => (made, after),
            other => panic!("{other:?}"),
        }
    }

    fn undone(edit: &FileEdit, text: &str, others: &[&MadeEdits], own: &MadeEdits) -> String {
        match look(edit, text, others, Some(own)) {
            Fit::After { before: Some(before) } => before,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_comment_moves_an_edit_and_undoing_gives_the_comment_back() {
        let edit = edit_of(SQL, "raw.b", "raw.b__import");
        let commented =
            SQL.replace("from raw.a", "/* raw.b too */\n\n from   raw.a").replace("select", "-- raw.b\r\nselect");
        let (own, after) = made(&edit, &commented, &[]);
        assert_eq!(
            after,
            "-- raw.b\r\nselect a.id, raw.b__import.x\r\n/* raw.b too */\n\n from   raw.a a\n\
                           join raw.b__import on raw.b__import.id = a.id -- raw.b\n"
        );
        assert_eq!(undone(&edit, &after, &[], &own), commented);
    }

    #[test]
    fn anything_but_a_comment_refuses_the_edit() {
        let edit = edit_of(SQL, "raw.b", "raw.b__import");
        for changed in [SQL.replace("a.id,", "a.id2,"), SQL.replace("from raw.a a", "from raw.b a"), String::new()] {
            assert!(matches!(look(&edit, &changed, &[], None), Fit::Neither(_)), "{changed}");
        }
    }

    #[test]
    fn two_plans_edit_one_statement_and_are_undone_in_either_order() {
        let (one, two) = (edit_of(SQL, "raw.a", "raw.a__import"), edit_of(SQL, "raw.b", "lake.b"));
        let (first, after_one) = made(&one, SQL, &[]);
        assert!(matches!(look(&two, &after_one, &[], None), Fit::Neither(_)), "unknown edits are no comments");
        let (second, after_both) = made(&two, &after_one, &[&first]);
        assert_eq!(after_both, SQL.replace("raw.a", "raw.a__import").replacen("raw.b", "lake.b", 3));
        let only_two = undone(&one, &after_both, &[&second], &first);
        assert_eq!(only_two, SQL.replacen("raw.b", "lake.b", 3));
        assert_eq!(undone(&two, &only_two, &[], &second), SQL);
        assert_eq!(undone(&two, &after_both, &[&first], &second), after_one);
        assert_eq!(undone(&one, &after_one, &[], &first), SQL);
    }

    #[test]
    fn a_plan_drafted_between_two_others_fits_after_the_second() {
        let text = format!("{SQL}join raw.c on raw.c.id = a.id\n");
        let (first, after_one) = made(&edit_of(&text, "raw.a", "raw.a__import"), &text, &[]);
        // Both are drafted while the first stands.
        let (two, three) = (edit_of(&after_one, "raw.b", "lake.b"), edit_of(&after_one, "raw.c", "lake.c"));
        let (second, after_two) = made(&two, &after_one, &[&first]);
        let (third, after_all) = made(&three, &after_two, &[&first, &second]);
        assert!(after_all.contains("raw.a__import") && after_all.contains("lake.b") && after_all.contains("lake.c"));
        assert_eq!(undone(&two, &after_all, &[&first, &third], &second), after_all.replace("lake.b", "raw.b"));
    }

    #[test]
    fn a_comment_after_two_plans_stays_when_both_are_undone() {
        let (one, two) = (edit_of(SQL, "raw.a", "raw.a__import"), edit_of(SQL, "raw.b", "lake.b"));
        let (first, after_one) = made(&one, SQL, &[]);
        let (second, after_both) = made(&two, &after_one, &[&first]);
        let commented = format!("-- seen\n{after_both}");
        let only_two = undone(&one, &commented, &[&second], &first);
        assert_eq!(undone(&two, &only_two, &[], &second), format!("-- seen\n{SQL}"));
    }

    #[test]
    fn what_was_edited_by_hand_after_is_not_undone() {
        let edit = edit_of(SQL, "raw.a", "raw.a__import");
        let (own, after) = made(&edit, SQL, &[]);
        let by_hand = after.replace("select a.id", "select a.id, 1");
        assert!(matches!(look(&edit, &by_hand, &[], Some(&own)), Fit::Neither(_)));
    }

    #[test]
    fn an_edit_where_another_stands_is_refused() {
        let (one, two) = (edit_of(SQL, "raw.a", "raw.x"), edit_of(SQL, "raw.a", "raw.y"));
        let (first, after) = made(&one, SQL, &[]);
        assert!(matches!(look(&two, &after, &[&first], None), Fit::Neither(why) if why.contains("another edit")));
    }

    #[test]
    fn a_plan_without_meanings_fits_its_own_bytes_only() {
        let edit = FileEdit { meaning: None, mentions: Vec::new(), ..edit_of(SQL, "raw.b", "lake.b") };
        assert!(matches!(look(&edit, SQL, &[], None), Fit::Before { .. }));
        assert!(matches!(look(&edit, &format!("\n{SQL}"), &[], None), Fit::Neither(_)));
    }
}

//! SQL in carve's own words: what lineage needs of a syntax tree, and nothing else.
use std::{collections::BTreeSet, ops::Range, sync::Arc};

use regex::Regex;

use crate::{
    lineage::{Access, EdgeKind},
    vocab::Column,
};

/// Bytes of the rendered text of a script.
pub(in crate::lineage) type Bytes = Range<usize>;

/// A table's name as written, parts outermost first, quotes off, lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lineage) struct Name {
    /// The parts.
    pub(in crate::lineage) parts: Vec<String>,
    /// Where it is written.
    pub(in crate::lineage) at: Bytes,
    /// Whether `at` holds exactly the name.
    pub(in crate::lineage) exact: bool,
}

/// An expression: which columns it takes, and what it does with them.
#[derive(Clone, Debug)]
pub(in crate::lineage) enum Ex {
    /// A constant.
    Nothing,
    /// A column, qualified or not.
    Column {
        /// Parts as written, lower case.
        parts: Vec<String>,
        /// Where it is written, all parts.
        at: Bytes,
    },
    /// The n-th item of the select list (`ORDER BY 1`); a constant elsewhere.
    Ordinal(usize),
    /// A function of its parts.
    Change(Vec<Ex>),
    /// An aggregate over its parts.
    Aggregate(Vec<Ex>),
    /// One of `of` and `both`, chosen by `by` and `both`.
    Choose {
        /// What only decides.
        by: Vec<Ex>,
        /// What may come out.
        of: Vec<Ex>,
        /// What decides and may come out: kept once, or nested calls would double with each level.
        both: Vec<Ex>,
    },
    /// `value` over the rows that `by` keeps or puts in order: an aggregate's FILTER and ORDER BY.
    Kept {
        /// The aggregate.
        value: Box<Ex>,
        /// What decides which rows it sees, or in which order.
        by: Vec<Ex>,
        /// Which of the two.
        kind: EdgeKind,
    },
    /// `value` computed over windows made by `by`.
    Over {
        /// The function and its arguments.
        value: Box<Ex>,
        /// Partitioning and ordering.
        by: Vec<Ex>,
    },
    /// A scalar subquery.
    Rows(Box<Query>),
    /// EXISTS or IN over a subquery: only whether there are rows counts; the parts are what is sought.
    Test(Box<Query>, Vec<Ex>),
    /// What turns whole rows into one value may be given a relation's name, or a column's: `to_json(t)`.
    Row(String, Bytes),
    /// All columns of one relation, or of all: `count(t.*)`.
    All(Vec<String>, Bytes),
}

/// A query with its CTEs.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Query {
    /// Named queries, in order.
    pub(in crate::lineage) ctes: Vec<Cte>,
    /// Whether a CTE may read itself.
    pub(in crate::lineage) recursive: bool,
    /// What it yields.
    pub(in crate::lineage) body: Body,
    /// Ordering over the output of a body that is no single select.
    pub(in crate::lineage) order: Vec<Ex>,
}

/// One named query.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Cte {
    /// Lower case.
    pub(in crate::lineage) name: String,
    /// Column names, where given.
    pub(in crate::lineage) columns: Vec<String>,
    /// The query.
    pub(in crate::lineage) query: Query,
}

/// The body of a query.
#[derive(Clone, Debug)]
pub(in crate::lineage) enum Body {
    /// SELECT.
    Select(Box<Select>),
    /// Arms of set operations, first to last.
    Arms(Vec<(SetOp, Body)>),
    /// A query in parentheses.
    Query(Box<Query>),
    /// Rows of constants, column by column: each column's expressions.
    Values(Vec<Vec<Ex>>),
    /// A table with all its columns, as it is.
    Whole(Name),
}

/// How an arm joins the arms before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lineage) enum SetOp {
    /// The first arm, UNION or INTERSECT: values flow by position.
    Flow,
    /// UNION BY NAME: values flow by name.
    ByName,
    /// EXCEPT: its values only take rows away.
    Remove,
}

/// One SELECT.
#[derive(Clone, Debug, Default)]
pub(in crate::lineage) struct Select {
    /// The select list.
    pub(in crate::lineage) items: Vec<Item>,
    /// Relations, each with how it joins those before it.
    pub(in crate::lineage) from: Vec<Joined>,
    /// WHERE, HAVING, QUALIFY and their like.
    pub(in crate::lineage) filters: Vec<Ex>,
    /// GROUP BY.
    pub(in crate::lineage) groups: Vec<Ex>,
    /// ORDER BY, SORT BY.
    pub(in crate::lineage) sorts: Vec<Ex>,
}

/// One item of a select list.
#[derive(Clone, Debug)]
pub(in crate::lineage) enum Item {
    /// An expression and the name it gets.
    One(Ex, Option<String>),
    /// `*` or `t.*`.
    Star(Star),
}

/// What stands for several columns; by default for all of all relations, as they are.
#[derive(Clone, Debug, Default)]
pub(in crate::lineage) struct Star {
    /// The relation; empty for all.
    pub(in crate::lineage) of: Vec<String>,
    /// Where the qualifier is written.
    pub(in crate::lineage) at: Bytes,
    /// The pattern that names must be like, lower case.
    pub(in crate::lineage) like: Option<String>,
    /// The expression that names must match.
    pub(in crate::lineage) matching: Option<Regex>,
    /// Columns left out.
    pub(in crate::lineage) except: Vec<String>,
    /// Columns computed otherwise.
    pub(in crate::lineage) replace: Vec<(String, Ex)>,
    /// Columns named otherwise.
    pub(in crate::lineage) rename: Vec<(String, String)>,
}

/// A relation and how it joins.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Joined {
    /// The relation.
    pub(in crate::lineage) relation: Relation,
    /// ON.
    pub(in crate::lineage) on: Vec<Ex>,
    /// USING.
    pub(in crate::lineage) using: Vec<String>,
    /// NATURAL.
    pub(in crate::lineage) natural: bool,
    /// Whose value a USING column has.
    pub(in crate::lineage) keeps: Keeps,
    /// Whether its columns are out of reach of the select list (semi and anti joins).
    pub(in crate::lineage) hidden: bool,
}

/// Whose value a USING column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lineage) enum Keeps {
    /// Inner and left joins.
    Left,
    /// Right joins.
    Right,
    /// Full joins.
    Both,
}

/// A relation of a FROM clause.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Relation {
    /// What it is.
    pub(in crate::lineage) source: Source,
    /// Its alias, lower case.
    pub(in crate::lineage) alias: Option<String>,
    /// Column aliases.
    pub(in crate::lineage) columns: Vec<String>,
}

/// What a relation is made of.
#[derive(Clone, Debug)]
pub(in crate::lineage) enum Source {
    /// A table, view, CTE or temp table.
    Table(Name),
    /// The table that the statement changes: in scope, not read.
    Target(Name),
    /// A subquery.
    Query(Box<Query>),
    /// A table function or unnest over expressions.
    Function(Vec<Ex>),
    /// UNNEST of several arrays: each gives a column.
    Unnest(Vec<Ex>),
    /// A table function of that name, which the estate may define, over expressions.
    Call(Name, Vec<Ex>),
    /// Files, read as a table, and where they are written.
    Files(Vec<String>, Bytes),
    /// A query run in source system `.0`.
    Remote(String, Box<Query>),
    /// A join in parentheses.
    Joins(Vec<Joined>),
    /// A pivot: relation, what is aggregated, what is spread, names of new columns.
    Pivot(Box<Relation>, Vec<Ex>, Vec<Ex>, Vec<String>),
    /// An unpivot: relation, for each value column what is folded into it, name column.
    Unpivot(Box<Relation>, Vec<(Vec<Ex>, String)>, String),
    /// MATCH_RECOGNIZE.
    Matches(Box<Matches>),
}

/// Rows of a relation among which patterns are sought.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Matches {
    /// The relation.
    pub(in crate::lineage) table: Relation,
    /// PARTITION BY.
    pub(in crate::lineage) parts: Vec<Ex>,
    /// ORDER BY.
    pub(in crate::lineage) sorts: Vec<Ex>,
    /// DEFINE.
    pub(in crate::lineage) tests: Vec<Ex>,
    /// MEASURES, with their names.
    pub(in crate::lineage) measures: Vec<(Ex, String)>,
    /// Whether every row of a match comes out, with all its columns; otherwise one row a match does.
    pub(in crate::lineage) all_rows: bool,
}

/// One statement, lowered.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Stmt {
    /// `select`, `insert`, `create_table_as` …
    pub(in crate::lineage) kind: &'static str,
    /// Its bytes.
    pub(in crate::lineage) at: Bytes,
    /// Whether its tables come from a token scan.
    pub(in crate::lineage) scanned: bool,
    /// Tables it touches apart from its queries.
    pub(in crate::lineage) touches: Vec<(Name, Access)>,
    /// What it fills.
    pub(in crate::lineage) fills: Vec<Fill>,
    /// What it moves from name to name.
    pub(in crate::lineage) moves: Vec<Move>,
    /// What else it does to names.
    pub(in crate::lineage) effects: Vec<Effect>,
    /// Files read or written, by address.
    pub(in crate::lineage) files: Vec<(String, Access, Bytes)>,
    /// What it reads or writes and nobody can name here, each in a few words.
    pub(in crate::lineage) unnamed: Vec<(String, Bytes)>,
    /// The table whose changed rows it takes, where it stands in a trigger: `NEW.a`, `FROM inserted`.
    pub(in crate::lineage) trigger: Option<Name>,
    /// Variables and parameters that are declared where it stands, in lower case: a name that no relation is known to have
    /// as a column is one of these first.
    pub(in crate::lineage) variables: Option<Arc<BTreeSet<String>>>,
}

/// All rows of one table that become rows of another, as they are: renames, swaps, partitions that move.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Move {
    /// Where they were.
    pub(in crate::lineage) from: Name,
    /// Where they are.
    pub(in crate::lineage) to: Name,
    /// Whether the old name is gone.
    pub(in crate::lineage) gone: bool,
}

/// Rows that go somewhere.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Fill {
    /// Where; `None` for a bare query.
    pub(in crate::lineage) target: Option<Name>,
    /// Whether the target lives only in this session.
    pub(in crate::lineage) temp: bool,
    /// Whether the rows make the target anew (CREATE … AS) rather than join rows that are there.
    pub(in crate::lineage) makes: bool,
    /// Columns filled, by position; empty when not said.
    pub(in crate::lineage) columns: Vec<String>,
    /// Whether columns are matched by name (UPDATE, MERGE) rather than position.
    pub(in crate::lineage) by_name: bool,
    /// Whether columns that the target lacks are left out, where its columns are known: `INSERT *` of a MERGE.
    pub(in crate::lineage) only_known: bool,
    /// Where the rows come from.
    pub(in crate::lineage) query: Query,
}

/// What a statement does to names.
#[derive(Clone, Debug)]
pub(in crate::lineage) enum Effect {
    /// DDL gives a table's columns.
    Columns(Name, Vec<Column>),
    /// ALTER TABLE ADD COLUMN.
    AddColumns(Name, Vec<Column>),
    /// CREATE TABLE a LIKE b: same columns.
    Like(Name, Name),
    /// A table that lives only in this session, its columns where known.
    Temp(Name, Vec<Column>),
    /// USE schema, SET search_path.
    Schema(String),
    /// USE of a database or catalog that holds schemas.
    Database(String),
    /// Names that begin with `.0` are tables of the system `.1`.
    System(String, String),
    /// The stage `.0` holds the files at `.1`.
    Stage(String, String),
}

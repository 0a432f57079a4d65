//! Who changed what when in the lake team's repository: pure, decided by one seed.
use crate::cli::demo_data::{
    moments::{DAY, LAST},
    random::Random,
};

/// Commits in all.
const COMMITS: i64 = 152;
/// The commit that gave a file its present name.
const RENAME_AT: i64 = 47;
/// The commit that turned tabs into spaces everywhere.
pub(super) const REFORMAT_AT: usize = 96;
/// The first commit: 2025-01-13 08:00:00.
const START: i64 = 1_736_755_200;
/// The newest commit: 2026-03-30 23:59:59.
const END: i64 = LAST - DAY;

/// What the file of clean orders is called today, and what it was called first.
pub(super) const RENAMED: (&str, &str) =
    ("sql/transformed/orders/orders_clean.sql", "sql/transformed/orders/orders_stage.sql");

/// One commit to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Seconds since 1970.
    pub(super) at: i64,
    /// `Name <address>`.
    pub(super) author: &'static str,
    /// The message.
    pub(super) message: String,
    /// Files that get new content, by their present names.
    pub(super) files: Vec<&'static str>,
    /// Whether [`RENAMED`] gets its present name here.
    pub(super) renames: bool,
}

/// A part of the repository that changes at a pace of its own.
struct Area {
    prefixes: &'static [&'static str],
    /// Share of all commits.
    per_mille: i64,
    authors: &'static [&'static str],
    messages: &'static [&'static str],
}

const AREAS: &[Area] = &[
    Area {
        prefixes: &["sql/transformed/orders/", "jobs/orders.yaml"],
        per_mille: 615,
        authors: &["Ines Roth <ines.roth@shop.example>", "Tom Okafor <tom.okafor@shop.example>"],
        messages: &[
            "ORD: new status from the checkout",
            "ORD: late orders",
            "fix rounding",
            "ORD: marketplace channel",
            "orders: voucher codes again",
            "hotfix double payments",
            "ORD: returns by line",
            "wip",
            "ORD: carrier names",
        ],
    },
    Area {
        prefixes: &[
            "sql/transformed/customer",
            "sql/transformed/consents",
            "sql/transformed/logins",
            "sql/transformed/country",
            "sql/transformed/email",
            "sql/transformed/loyalty",
            "jobs/customer.yaml",
        ],
        per_mille: 105,
        authors: &["Malika Haddad <malika.haddad@shop.example>"],
        messages: &[
            "CUS: tidy names",
            "gdpr: forget addresses too",
            "loyalty levels",
            "CUS-118 duplicates",
            "consent by post",
        ],
    },
    Area {
        prefixes: &["sql/modelled/", "etl/", "sql/reporting/", "jobs/modelled.yaml", "jobs/reporting.yaml"],
        per_mille: 170,
        authors: &["Ines Roth <ines.roth@shop.example>", "Björn Lindqvist <bjorn@shop.example>"],
        messages: &[
            "kpi for the board",
            "speed up customer 360",
            "cohorts",
            "finance wants it by country",
            "revert \"cohorts\"",
        ],
    },
    Area {
        prefixes: &["sql/transformed/web/", "jobs/web.yaml"],
        per_mille: 55,
        authors: &["Yuki Tanaka <yuki.tanaka@shop.example>"],
        messages: &["tracker 4.2", "sessions: half an hour", "search terms in lower case"],
    },
    Area {
        prefixes: &["sql/crm/", "jobs/crm.yaml"],
        per_mille: 10,
        authors: &["Agency <support@agency.example>"],
        messages: &["crm: country spelling"],
    },
    Area {
        prefixes: &["superset/", "docs/", "README.md", "CODEOWNERS", "scripts/", "jobs/imports.yaml"],
        per_mille: 45,
        authors: &["Superset export <bi-bot@shop.example>", "Tom Okafor <tom.okafor@shop.example>"],
        messages: &["monthly export", "readme", "import: watermark"],
    },
];

/// Whether a file has drafts before its last version; pictures and logs come once, as they are.
pub(super) fn has_drafts(path: &str) -> bool {
    path.ends_with(".sql") || path.ends_with(".yaml") || path.ends_with(".md")
}

/// The commits, oldest first, over the estate's files `paths`.
pub(super) fn changelog(paths: &[&'static str]) -> Vec<Change> {
    let mut random = Random::named(2026, "changelog");
    (0..COMMITS).map(|number| change(number, paths, &mut random)).collect()
}

fn change(number: i64, paths: &[&'static str], random: &mut Random) -> Change {
    let at = START + (END - START) / (COMMITS - 1) * number;
    let lake_team = "Tom Okafor <tom.okafor@shop.example>";
    let named = |message: &str, files: Vec<&'static str>, renames| Change {
        at,
        author: lake_team,
        message: message.to_owned(),
        files,
        renames,
    };
    match number {
        0 => named("Move the jobs here from the old server", paths.to_vec(), false),
        RENAME_AT => named("orders_stage is called orders_clean now", vec!["jobs/orders.yaml"], true),
        n if n == REFORMAT_AT as i64 => {
            let sql = paths.iter().copied().filter(|path| path.ends_with(".sql")).collect();
            named("Reformat: spaces instead of tabs, everywhere", sql, false)
        }
        _ => ordinary(at + random.below(6 * 3600), number, paths, random),
    }
}

fn ordinary(at: i64, number: i64, paths: &[&'static str], random: &mut Random) -> Change {
    let area = area(random);
    let own: Vec<&'static str> = paths.iter().copied().filter(|path| belongs(area, path)).collect();
    let mut files: Vec<&'static str> = (0..random.between(1, 3)).map(|_| random.pick(&own)).collect();
    files.sort_unstable();
    files.dedup();
    let message = match random.chance(600) {
        true => random.pick(area.messages).to_owned(),
        false => format!("LAKE-{}: {}", 400 + number, random.pick(area.messages)),
    };
    Change { at: at.min(END), author: random.favour(area.authors), message, files, renames: false }
}

fn area(random: &mut Random) -> &'static Area {
    let mut left = random.below(AREAS.iter().map(|area| area.per_mille).sum());
    for area in AREAS {
        if left < area.per_mille {
            return area;
        }
        left -= area.per_mille;
    }
    &AREAS[0]
}

fn belongs(area: &Area, path: &str) -> bool {
    has_drafts(path) && area.prefixes.iter().any(|prefix| path.starts_with(prefix))
}

//! Moving the readers: one file per BI tool; readiness; runbook.

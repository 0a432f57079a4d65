//! Who answers for a service after hand-over: one rule for every place that says so.
use crate::estate::Estate;

impl Estate {
    /// The team to be of `service`, whose data comes from `system`: what `wraps` says of the service or by default,
    /// else the owner of the source system. `None` where nobody is named.
    pub fn team_to_be(&self, service: &str, system: &str) -> Option<&str> {
        let said = |wrap: &str| self.settings.wraps.get(wrap)?.owner.as_deref();
        let source = || self.sources.get(system)?.owner.as_deref();
        said(service).or_else(|| said("")).or_else(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::SourceSystem;

    #[test]
    fn what_is_said_of_the_service_goes_before_the_default_and_the_source() {
        let mut estate = Estate::default();
        assert_eq!(estate.team_to_be("orders", "order_db"), None);
        let owner = Some("team-source".to_owned());
        let source = SourceSystem { name: "order_db".into(), kind: None, url: None, owner, domain: None, at: None };
        estate.sources.insert("order_db".to_owned(), source);
        assert_eq!(estate.team_to_be("orders", "order_db"), Some("team-source"));
        estate.settings.wraps.entry(String::new()).or_default().owner = Some("team-all".to_owned());
        assert_eq!(estate.team_to_be("orders", "order_db"), Some("team-all"));
        estate.settings.wraps.entry("orders".to_owned()).or_default().owner = Some("team-orders".to_owned());
        assert_eq!(estate.team_to_be("orders", "order_db"), Some("team-orders"));
    }
}
